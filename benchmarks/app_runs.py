"""A number of flows → a project with one scoring run of about so many rows, simulated once and kept in `build/`."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from socml.project import Project, read_project
from socml.simulator import simulate

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(os.environ.get("SOCML_BENCH", ROOT / "build" / "bench"))
DATASET, MODEL = "demo", "flow-forest"


@dataclass(frozen=True)
class Size:
    """How much is simulated: days of the small organisation, and how much of everything."""

    name: str
    days: int
    scale: float


SIZES = (Size("33,000 rows", 1, 0.75), Size("1,000,000 rows", 5, 6.0))


def project_of(size: Size) -> Project:
    """Return a project with a scored run of that size; made if it is not there yet, which takes minutes."""
    root = KEPT / f"flows-{size.days}-{size.scale}"
    if (root / "done").is_file():
        return read_project(root)
    socml = [sys.executable, "-m", "socml"]
    if not (root / "socml.toml").is_file():
        root.parent.mkdir(parents=True, exist_ok=True)
        _run([*socml, "init", root.name], root.parent)
    logs = simulate(root / "logs", days=size.days, scale=size.scale)
    files = [str(path) for path in logs.files if path != logs.truth]
    _run([*socml, "ingest", *files, "--dataset", DATASET, "--final"], root)
    for verb in (["features", "flow", DATASET], ["fit", MODEL, DATASET, "--promote"], ["score", MODEL, DATASET]):
        _run([*socml, *verb], root)
    (root / "done").touch()
    return read_project(root)


def _run(command: list[str], cwd: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOCML_")}
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, env=environment | {"PYTHONPATH": str(ROOT)})


if __name__ == "__main__":
    for one in SIZES:
        print(one.name, project_of(one).root)
