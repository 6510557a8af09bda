"""Prometheus' endpoint answers what the text file has, on this machine only, and nothing beside."""

from __future__ import annotations

import socket
import threading
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError

import pytest
from patience import wait_until

from socml.jobs import metrics_endpoint, metrics_text, serve_metrics
from socml.jobs.night_state import NightReport, keep_report
from socml.project import ConfigurationError, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(root=tmp_path, workspace=tmp_path / "workspace")
    at = "2026-03-04T02:00:00+00:00"
    keep_report(project.folder("nights", "office"), NightReport("n1", "office", at, finished=at, added=7))
    return project


def test_it_answers_what_the_text_file_has_and_nothing_else(project: Project) -> None:
    with serve_metrics("127.0.0.1:0", project) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics?name=x") as answer:
            body, kind = answer.read().decode(), answer.headers["Content-Type"]
        with pytest.raises(HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/../socml.toml")
    assert body == metrics_text(project)
    assert 'socml_night_events_added{dataset="office"} 7' in body
    assert kind.startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:9469", "socml.example.org:9469"])
def test_other_machines_reach_it_only_if_that_is_meant(address: str, project: Project) -> None:
    with pytest.raises(ConfigurationError, match="--any-address"), serve_metrics(address, project):
        pass


@pytest.mark.parametrize("address", ["9469", "127.0.0.1", "127.0.0.1:port", "", "[::1"])
def test_an_address_that_is_none_is_one_sentence(address: str, project: Project) -> None:
    with pytest.raises(ConfigurationError, match="not an address to answer on"), serve_metrics(address, project):
        pass


def test_a_port_that_is_taken_is_one_sentence(project: Project) -> None:
    taken = pytest.raises(ConfigurationError, match="Name another port")
    with serve_metrics("127.0.0.1:0", project) as port, taken, serve_metrics(f"127.0.0.1:{port}", project):
        pass


def test_whoever_drips_or_says_nothing_keeps_no_other_out_and_takes_few_threads(project: Project) -> None:
    with serve_metrics("127.0.0.1:0", project) as port, ExitStack() as held:
        before = threading.active_count()
        for _ in range(3 * metrics_endpoint.AT_ONCE):
            silent = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            silent.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.read().decode() == metrics_text(project)
        wait_until(lambda: threading.active_count() <= before + metrics_endpoint.AT_ONCE, threading.active_count)


def test_a_damaged_report_is_an_answer(project: Project) -> None:
    for path in (project.workspace / "nights" / "office" / "reports").iterdir():
        path.write_text("{")
    with serve_metrics("127.0.0.1:0", project) as port, pytest.raises(HTTPError, match="503"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics")
