"""Formats of kind network, one file each."""
