"""Formats of kind web, one file each."""
