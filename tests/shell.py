"""The command line as a person runs it, in the test's own process: its imports are paid for once."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

from small_lab import run_in


def socml(*arguments: object, cwd: Path, code: int = 0, **environment: str) -> tuple[str, str]:
    """Run one command line and return what it wrote to standard output and standard error."""
    with patch.dict(os.environ, environment):
        said = run_in(Path(cwd), *map(str, arguments))
    assert said.code == code, said.out + said.err
    assert "Traceback" not in said.err
    return said.out, said.err
