"""The program `socml`, and `python -m socml`: Ctrl-C ends it with 130 from its first moment on."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the command line and run one command."""
    try:
        from socml.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
