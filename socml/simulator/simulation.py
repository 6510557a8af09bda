"""Parameters → a folder of logs with `truth.parquet` beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np

from socml.project import ConfigurationError, component, component_names, private_file, private_folder
from socml.simulator.alerts import raise_alerts
from socml.simulator.organisation import MOST_HOSTS, World, make_organisation
from socml.simulator.traffic import Traffic
from socml.simulator.window import Window
from socml.simulator.writers.files import Attack, attacks_in, is_log_name, log_files, write, write_truth

MARK = ".simulated"

_KINDS = ("activities", "attacks")
_NOISE = "noise"
MOST_DAYS = 3650  # ten years; the logs of so many are terabytes
FEWEST_WITH_HOLIDAY = 6  # days, above which a noisy simulation has a holiday


@dataclass(frozen=True)
class SimulatedLogs:
    """What `simulate` wrote. Files are in the order in which they were written."""

    folder: Path
    files: tuple[Path, ...]
    events: dict[str, int]  # records a file, by the file's name
    attacks: dict[str, int]  # malicious records a family
    techniques: dict[str, str]  # ATT&CK technique a family
    truth: Path

    def __str__(self) -> str:
        total, bad = sum(self.events.values()), sum(self.attacks.values())
        lines = [f"{total:,} events in {len(self.files)} files, {bad:,} of them malicious, in {self.folder}"]
        lines += [f"  {n:>6,}  {family} ({self.techniques[family]})" for family, n in sorted(self.attacks.items())]
        return "\n".join(lines)


def simulate(
    folder: str | Path,
    *,
    seed: int = 7,
    days: int = 4,
    start: str = "2026-03-02",
    hosts: int = 40,
    scale: float = 1.0,
    noise: bool = False,
) -> SimulatedLogs:
    """Write logs of a small organisation with known attacks. The same parameters give the same bytes.

    Parameters
    ----------
    folder : where to write; made if missing, what was simulated there before is replaced
    seed : another seed is another organisation with the same habits
    days : whole days from `start`, 1 to 3,650
    start : first day, as YYYY-MM-DD, in UTC; a Monday by default
    hosts : workstations, one a person, 2 to 6,000; the servers come on top
    scale : how much of everything: 2.0 is twice the traffic of as many hosts
    noise : add what makes real networks hard: private destinations, programs and uploads, unanswered connections,
        the internet's background of probes and guesses, many user agents, a person who changes role, a service that is
        rolled out, a holiday; all of it benign

    Returns
    -------
    SimulatedLogs
        Files and counts. `truth.parquet` follows `socml.project.tables.TRUTH_BESIDE` and lists malicious records only:
        all others are benign.

    Raises
    ------
    ConfigurationError
        For a number that makes no sense, a `start` that is not a day, a folder that is a file, or one that holds logs of the
        same names which were not simulated.

    References
    ----------
    The techniques: https://attack.mitre.org/techniques/; each file of `attacks/` names its own.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     logs = simulate(folder, days=1, hosts=5, scale=0.1)
    >>> logs.techniques["beaconing"], logs.files[0].name
    ('T1071.001', 'auth.log')
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ConfigurationError(f"seed = {seed!r} is no whole number from 0 on.")
    window = _window(start, days, hosts, scale)
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file; name a folder to write logs to.")
    if noise and days > FEWEST_WITH_HOLIDAY:
        window = replace(window, holidays=(int(_rng(seed, "holiday").integers(2, days)),))
    world = World(make_organisation(_rng(seed, "organisation"), hosts), window, scale)
    traffic = Traffic(window)
    for kind in (*_KINDS, *((_NOISE,) if noise else ())):
        for name in component_names(kind):
            component(kind, name)(world, traffic, _rng(seed, f"{kind}.{name}"))
    raise_alerts(world, traffic, _rng(seed, "alerts"))
    private_folder(folder)
    return _write_all(folder, traffic, _rng(seed, "writers"))


def _write_all(folder: Path, traffic: Traffic, rng: np.random.Generator) -> SimulatedLogs:
    truth = folder / "truth.parquet"
    _claim(folder, truth)
    files: list[Path] = []
    events: dict[str, int] = {}
    attacks: list[Attack] = []
    for file in log_files(traffic.tables(rng), traffic.window, rng):
        files.append(write(folder, file, traffic.window))
        events[file.name] = len(file.lines)
        attacks += attacks_in(file, traffic.families)
    write_truth(truth, attacks)
    return SimulatedLogs(
        folder=folder,
        files=tuple(files),
        events=events,
        attacks=dict(Counter(attack.family.name for attack in attacks)),
        techniques={f.name: f.technique for f in traffic.families},
        truth=truth,
    )


def _claim(folder: Path, truth: Path) -> None:
    """Mark a folder as one whose logs are simulated, before the first is: a killed process leaves no truth."""
    mark = folder / MARK
    if not (mark.is_file() or truth.is_file()):
        found = sorted(path.name for path in folder.iterdir() if is_log_name(path.name))
        if found:
            raise ConfigurationError(f"{folder} holds {found[0]}, which was not simulated. Name another folder.")
    private_file(mark)


def _window(start: str, days: int, hosts: int, scale: float) -> Window:
    whole = all(isinstance(number, int | np.integer) and not isinstance(number, bool) for number in (days, hosts))
    is_scale = isinstance(scale, int | float | np.number) and not isinstance(scale, bool)
    if not (whole and is_scale and 1 <= days <= MOST_DAYS and 2 <= hosts <= MOST_HOSTS and 0 < scale <= 1000):
        raise ConfigurationError(
            f"A simulation needs at least 1 day (up to {MOST_DAYS:,}), 2 to {MOST_HOSTS:,} hosts and a scale above 0 (up "
            f"to 1000), and was asked for {days!r}, {hosts!r} and {scale!r}."
        )
    try:
        return Window.of(start, days)
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigurationError(f"start = {start!r} is not a day; write it as 2026-03-02.") from error


def _rng(seed: int, part: str) -> np.random.Generator:
    """Return a generator of its own for each part, so that a new file changes no other's numbers."""
    return np.random.default_rng([seed, crc32(part.encode())])
