"""Patterns of messages, and which programs write which → what a kernel tries on a message, and where its groups go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from socml.kernels.pattern_programs import Programs, Steps

__all__ = ["COLUMNS", "Layout", "Plan", "plan_of"]

COLUMNS = ("user_name", "process_command_line", "source_ip", "destination_ip")
FIRST_ADDRESS = COLUMNS.index("source_ip")
PORTS = ("source_port", "destination_port")
KEYS = ("repeated", "facility", "message_id", "structured_data", "source_name", "destination_name")  # then the plan's
REPEATED, FACILITY, MESSAGE_ID, DATA, SOURCE_NAME = range(5)
TEXT, ADDRESS, PORT, EXTRA = range(4)
NONE = -1


class Layout(NamedTuple):
    """What to try on which messages, and where to put what is found.

    groups : shape (n_groups, 3); what a group is, which column or key, and its number; in the order of the pattern
    first_group : shape (n_templates + 1,); where a template's begin
    fails_with : the key with which a template means a failure, or -1
    tried, first_tried : the templates of each set that a message may be, by set and its first byte
    """

    groups: NDArray[np.int32]
    first_group: NDArray[np.int32]
    fails_with: NDArray[np.int32]
    tried: NDArray[np.int32]
    first_tried: NDArray[np.int32]


@dataclass(frozen=True)
class Plan:
    """The templates.

    Attributes
    ----------
    steps : of the templates' patterns, then of those of 'message repeated' and 'last message repeated'
    keys : the names of the fields of `extra`
    width : most fields of `extra` that a record may have
    """

    steps: Steps
    layout: Layout
    keys: tuple[str, ...]
    width: int


def plan_of(programs: Programs, sets: Sequence[Sequence[int]], fails_with: Mapping[int, str]) -> Plan:
    """Return the plan for templates, of which each set is tried in its order on what its programs write.

    Parameters
    ----------
    sets : each the numbers of templates
    fails_with : template → the name of the group whose presence means a failure
    """
    templates = len(programs.groups) - 2
    names = [name for groups in programs.groups[:templates] for name in groups]
    extra = [name.rstrip("_") for name in names if name not in (*COLUMNS, *PORTS)]
    keys = tuple(dict.fromkeys((*KEYS, *extra)))
    rows, first_group = [], [0]
    for groups in programs.groups[:templates]:
        rows += [(*_place(name, keys), group) for name, group in groups.items()]
        first_group.append(len(rows))
    tried, first_tried = [], np.zeros((len(sets), 258), np.int32)
    for number, members in enumerate(sets):
        for byte in range(257):
            tried += [template for template in members if programs.first[template, byte]]
            first_tried[number, byte + 1] = len(tried)
        if number + 1 < len(sets):
            first_tried[number + 1, 0] = len(tried)
    failing = [keys.index(fails_with[t]) if t in fails_with else NONE for t in range(templates)]
    layout = Layout(*(np.array(a, np.int32) for a in (rows, first_group, failing, tried, first_tried)))
    return Plan(programs.steps, layout, keys, int(max(np.diff(first_group))) + len(KEYS))


def _place(name: str, keys: tuple[str, ...]) -> tuple[int, int]:
    if name in PORTS:
        return PORT, PORTS.index(name)
    if name in COLUMNS:
        return (ADDRESS if name.endswith("_ip") else TEXT), COLUMNS.index(name)
    return EXTRA, keys.index(name.rstrip("_"))
