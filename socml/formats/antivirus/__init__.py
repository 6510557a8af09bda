"""Formats of kind antivirus, one file each."""
