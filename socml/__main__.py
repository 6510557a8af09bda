"""`python -m socml` → the same as `socml`."""

from socml.cli import main

main()
