"""Alerts → a place outside: a file a kind of place. The folder is the registry; `kind` in [sinks.NAME] names the file."""
