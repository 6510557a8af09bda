"""One night, killed at random moments and done once more → how often anything is other than undisturbed.

Run it with `make results-night`, after the ninety nights. `KILLED` is the number of kills (100), `KILLED_EVENTS` the events of
each of the three nights (3,000), of which the third is killed. Each kill is a SIGKILL of `python -m socml nightly`.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.nights import LOGONS, SEED, VERSIONS, Office, lab_in, outcome, run_night
from benchmarks.results import Figure, write_results
from socml.project import ScratchFolder

KILLED = int(os.environ.get("KILLED") or 100)
KILLED_EVENTS = int(os.environ.get("KILLED_EVENTS") or 3_000)


def killed() -> list[Figure]:
    """Kill the third night of a small office at random moments, do it once more, and count what is other than undisturbed."""
    rng = random.Random(SEED)
    survived = wrong = 0
    with ScratchFolder("kills") as scratch:
        project = lab_in(Path(scratch) / "a")
        office = Office(project)
        for day in range(3):
            office.add_flows(day, office.flows(day, int(KILLED_EVENTS * (1 - LOGONS))))
            office.rotate_logons(office.logons(day, int(KILLED_EVENTS * LOGONS)))
            if day < 2:
                run_night(project)
        before, after = Path(scratch) / "before", project.workspace
        shutil.copytree(after, before)
        began = time.monotonic()
        run_night(project)
        usual = time.monotonic() - began
        undisturbed = outcome(project)
        for number in range(KILLED):
            shutil.rmtree(after)
            shutil.copytree(before, after)
            survived += run_night(project, kill_after_s=rng.uniform(0.05, 1.0) * usual).code == -9
            run_night(project)
            wrong += outcome(project) != undisturbed
            print("kill", number + 1, survived, wrong, flush=True)
    case = f"a night of {KILLED_EVENTS:,} events, killed (SIGKILL) at {KILLED} random moments, and done once more"
    return [
        Figure(case, "nights that the kill ended", survived, "nights", n=KILLED),
        Figure(case, "nights whose bytes are other than undisturbed ones", wrong, "nights", n=KILLED),
    ]


def main() -> None:
    """Kill, compare, and write the results."""
    figures = [replace(figure, versions=VERSIONS) for figure in killed()]
    about = "The third night of a small office, killed and done once more. The bytes are those of tables, lists, memory and runs."
    write_results("results-night-kills", "A night that is killed", about, figures)


if __name__ == "__main__":
    main()
