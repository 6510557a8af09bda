"""Prometheus' endpoint answers what the text file has, on this machine only, and nothing beside."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from socml.jobs import metrics_text, serve_metrics
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
