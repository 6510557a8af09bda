"""A temporary project → the app in a real server and a real browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from builders import BuiltRun, make_project, make_run
from patience import PATIENCE_S, free_port, wait_until_served

from socml.project.project import Project

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path(os.environ.get("SOCML_CHROMIUM", "/usr/bin/chromium"))
_NUMBERS = count()
QUIET = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run"]
QUIET += ["disable-background-networking", "disable-component-update", "disable-sync"]


class Server:
    """The app, served on one port of this machine; it can be killed and started again."""

    def __init__(self, project: Project, log: Path) -> None:
        self.project, self.log, self.port = project, log, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the page Hunt is."""
        return f"{self.home}hunt"

    @property
    def home(self) -> str:
        """Where the app begins."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        page = ROOT / "app" / "server.py"
        options = [f"--server.port={self.port}", "--server.address=127.0.0.1", "--server.headless=true"]
        environment = {**os.environ, "SOCML_PROJECT": str(self.project.root), "PYTHONPATH": str(ROOT)}
        for name in ("SOCML_ANALYST", "SOCML_WORKSPACE", "SOCML_LABELS_URL"):
            environment.pop(name, None)
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "streamlit", "run", str(page), *options]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        wait_until_served(f"{self.home}_stcore/health", self.process, lambda: self.log.read_text()[-2000:])

    def stand_still(self) -> None:
        """Stop the server where it is, as a machine that is very busy would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the server go on."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if not CHROMIUM.is_file():
        pytest.skip(f"There is no browser at {CHROMIUM}: apt-get install chromium, or set SOCML_CHROMIUM")
    with playwright.sync_playwright() as started:
        flags = [f"--{flag}" for flag in QUIET]
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=flags, timeout=1000 * PATIENCE_S)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that tests share; each has a dataset and a run of its own in it."""
    return make_project(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session")
def shared_server(lab: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on the shared project."""
    served = Server(lab, tmp_path_factory.mktemp("log") / "app.log")
    served.start()
    yield served
    served.kill()


@pytest.fixture
def built(lab: Project) -> BuiltRun:
    """A scoring run of 400 rows; the first row of its queue is hostile."""
    return make_run(lab, dataset=f"built{next(_NUMBERS)}")


@pytest.fixture
def server(shared_server: Server, built: BuiltRun) -> Server:
    """The app, with this test's run in it."""
    return shared_server


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    """The app on a project of its own, to be killed."""
    project = make_project(tmp_path / "lab")
    make_run(project)
    served = Server(project, tmp_path / "app.log")
    served.start()
    yield served
    served.kill()


@pytest.fixture(scope="session")
def serve() -> Callable[..., Server]:
    """Return what starts the app on a project and returns its server, to be killed by who asked; not yet if told so."""

    def start(project: Project, log: Path, *, at_once: bool = True) -> Server:
        served = Server(project, log)
        if at_once:
            served.start()
        return served

    return start


WINDOW = {"width": 1280, "height": 860}


class Windows:
    """Windows of the browser, each with storage and cookies of its own; one that was given back is used again.

    A window that has drawn the app once draws it again for a third of the work: its scripts are compiled by then.
    """

    def __init__(self, browser: Any) -> None:
        self.browser, self.free = browser, list[Any]()

    def take(self, *, color_scheme: str = "light", permissions: Sequence[str] = ()) -> Any:
        """Return a page on which nothing is opened and nothing stored; it waits with patience."""
        page = self.free.pop() if self.free else self.browser.new_context(viewport=WINDOW).new_page()
        page.context.set_default_timeout(1000 * PATIENCE_S)
        page.context.grant_permissions(list(permissions))
        page.emulate_media(color_scheme=color_scheme)
        return page

    def give_back(self, page: Any) -> None:
        """Leave what is opened, and forget all that it stored."""
        page.unroute_all()
        page.goto("about:blank")
        page.context.clear_cookies()
        page.context.clear_permissions()
        page.set_viewport_size(WINDOW)
        session = page.context.new_cdp_session(page)
        session.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        session.detach()
        self.free.append(page)


@pytest.fixture(scope="session")
def windows(browser: Any) -> Windows:
    """Windows that tests take and give back."""
    return Windows(browser)


@pytest.fixture
def new_page(windows: Windows) -> Iterator[Callable[..., Any]]:
    """Return what makes a page with nothing opened yet, as a browser of its own would."""
    taken = []

    def make(**options: Any) -> Any:
        taken.append(windows.take(**options))
        return taken[-1]

    yield make
    for page in taken:
        windows.give_back(page)


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """A page of the browser, with nothing opened yet."""
    return new_page()
