"""What the pages' scripts read and send is what Python declares, no less and no more."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NotRequired, get_origin, get_type_hints

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [("hunt", "labelling", "Payload"), ("today", "daylist", "DayPayload")]
MADE_BY_SCRIPTS = {"numbers"}  # daylist/main.js puts it beside what came
UNREAD_ON_PURPOSE = {"answers"}  # on Today: an answer like the one before would not reach the component


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "app"))
    return import_module(f"{request.param}.exchange")


def script_of(folder: str) -> str:
    sys.modules.pop("scripts", None)
    bundle = import_module("scripts").bundle
    return str(bundle(f"{folder}/main.js", "labelling/triage.css")[0])


def names_read(script: str) -> set[str]:
    unpacked = re.findall(r"const \{([^}]*)\} = (?:this\.)?component\.data;", script)
    return {*re.findall(r"\bdata\.(\w+)", script), *(name.strip() for one in unpacked for name in one.split(","))} - {
        "length"
    }


@pytest.mark.parametrize(("exchange", "folder", "payload"), [(f, f, p) for _, f, p in PAGES], indirect=["exchange"])
def test_the_scripts_read_what_python_sends(exchange: ModuleType, folder: str, payload: str) -> None:
    declared = set(get_type_hints(getattr(exchange, payload)))
    own = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app" / folder).glob("*.js"))
    assert names_read(own) - MADE_BY_SCRIPTS - declared == set(), "read, and never sent"
    assert declared - names_read(script_of(folder)) - UNREAD_ON_PURPOSE == set(), "sent, and never read"


@pytest.mark.parametrize(("exchange", "page"), [(folder, page) for page, folder, _ in PAGES], indirect=["exchange"])
def test_each_message_that_the_scripts_send_is_declared(exchange: ModuleType, page: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: apt-get install nodejs")
    done = subprocess.run([node, "tests/scripts/messages.mjs"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    messages = json.loads(done.stdout)[page]
    assert {message["kind"] for message in messages} == set(exchange.MESSAGES)
    for message in messages:
        kind = exchange.MESSAGES[message.pop("kind")]
        del message["client_id"]
        fields = get_type_hints(kind, include_extras=True)
        required = {name for name, hint in fields.items() if get_origin(hint) is not NotRequired}
        assert required <= message.keys() <= fields.keys(), message
    said = set().union(*(message.keys() for message in messages))
    assert said == set().union(*(get_type_hints(kind) for kind in exchange.MESSAGES.values()))
