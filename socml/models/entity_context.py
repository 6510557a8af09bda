"""What an organisation knows of its machines and people → peers, owners and weights of the daily list.

One optional table, `context.csv` beside `socml.toml`; a column that is not there says nothing:

| column | means |
|---|---|
| entity | address, host, account, or a network such as 147.32.0.0/16: its addresses are inside |
| owner | whom to ask; shown beside the entity |
| peer_group | whom it is compared with: the rows of its role and group, instead of all of its role |
| criticality | low, normal or high: counts 0.7, 1 or 1.3 |
| watch | yes: counts 1.3, and says so |
| expected | families that are its job, as `scan` of a scanner, `upload` of a backup: they count 0.3 |
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from ipaddress import IPv4Network

import numpy as np
from numpy.typing import NDArray

from socml.features import EntityDay
from socml.project import ConfigurationError, Project, did_you_mean, rows_by_hand

FILE = "context.csv"
COLUMNS = ("entity", "owner", "peer_group", "criticality", "watch", "expected")
CRITICALITY = {"low": 0.7, "normal": 1.0, "high": 1.3}
WATCHED, EXPECTED = 1.3, 0.3
_YES, _NO = {"yes", "true", "1", "oui"}, {"", "no", "false", "0", "non"}


@dataclass(frozen=True)
class Known:
    """What is known of one entity."""

    owner: str = ""
    peer_group: str = ""
    criticality: str = "normal"
    watch: bool = False
    expected: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Context:
    """What is known of all: entities, and networks of the organisation."""

    entities: dict[str, Known] = field(default_factory=dict)
    inside: tuple[IPv4Network, ...] = ()

    def of(self, entity: str) -> Known:
        """Return what is known of an entity; of an unknown one, what is usual."""
        return self.entities.get(entity, Known())

    def groups(self, rows: EntityDay) -> NDArray[np.object_]:
        """Return whom each row is compared with: its role, and its peer group if it has one."""
        if not any(known.peer_group for known in self.entities.values()):
            return rows.role
        groups = [self.of(entity).peer_group for entity in rows.entity]
        named = [f"{role} / {group}" if group else role for role, group in zip(rows.role, groups, strict=True)]
        return np.array(named, object)

    def weights(self, rows: EntityDay, families: tuple[str, ...]) -> NDArray[np.float64]:
        """Return by how much each family of each row is multiplied, shape (rows, families)."""
        weights = np.ones((len(rows.entity), len(families)))
        for row, entity in enumerate(rows.entity.tolist()):
            known = self.entities.get(entity)
            if known is not None:
                weights[row] *= CRITICALITY[known.criticality] * (WATCHED if known.watch else 1.0)
                weights[row, [family in known.expected for family in families]] *= EXPECTED
        return weights


def read_context(project: Project) -> Context:
    """Return what the project's `context.csv` says; an empty context without one.

    Raises
    ------
    ConfigurationError
        Naming the line and what is wrong with it.
    """
    path = project.root / FILE
    if not path.is_file():
        return Context()
    entities: dict[str, Known] = {}
    inside: list[IPv4Network] = []
    try:
        rows = rows_by_hand(path)
        for name in rows.fieldnames or ():
            if name not in COLUMNS:
                raise ConfigurationError(f"{path} has an unknown column {name!r}.{did_you_mean(name, COLUMNS)}")
        if "entity" not in (rows.fieldnames or ()):
            raise ConfigurationError(f"{path} has no column 'entity': whom does a line say something about?")
        for row in rows:
            entity, where = (row["entity"] or "").strip(), f"{path}:{rows.line_num}"
            if "/" in entity and entity[0].isdigit():
                inside.append(_network(entity, where))
            elif entity:
                entities[entity] = _known(row, where)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    return Context(entities, tuple(inside))


def _network(text: str, where: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        raise ConfigurationError(f"{where}: {text!r} is no IPv4 network. Write it as 147.32.0.0/16.") from None


def _known(row: dict[str, str | None], where: str) -> Known:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    criticality, watch = cells["criticality"].lower() or "normal", cells["watch"].lower()
    if criticality not in CRITICALITY:
        raise ConfigurationError(f"{where}: criticality is {criticality!r}. Write low, normal or high.")
    if watch not in _YES | _NO:
        raise ConfigurationError(f"{where}: watch is {watch!r}. Write yes or no.")
    expected = frozenset(cells["expected"].replace(";", " ").split())
    return Known(cells["owner"], cells["peer_group"], criticality, watch in _YES, expected)
