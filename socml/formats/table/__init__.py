"""Formats of kind table, one file each."""
