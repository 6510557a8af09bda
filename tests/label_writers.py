"""Labels to write, and a process that writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'labels.sqlite'}"


@pytest.fixture
def store(url: str):
    with LabelStore(url) as opened:
        yield opened


def label(row_id: str = "r1", verdict: str = "malicious", client_id: str = "c1", **more) -> NewLabel:
    return NewLabel(row_id, verdict, client_id=client_id, **more)
