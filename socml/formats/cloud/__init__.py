"""Formats of kind cloud, one file each."""
