"""Formats of kind host, one file each."""
