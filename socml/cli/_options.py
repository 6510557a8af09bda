"""Options that several verbs have, each declared once; and the project on the engine that --engine and --master name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from socml.project import ENGINES, Project, UnknownName, find_project

Json = Annotated[bool, typer.Option("--json", help="for a script")]
Run = Annotated[str, typer.Option(help="scoring run; the newest if not given")]
Who = Annotated[str, typer.Option("--by", envvar="SOCML_ANALYST", help="who does it")]
Workers = Annotated[
    int,
    typer.Option(
        min=0, help="processes that read files at once, each in up to 1 GB; 0: as many as pay; Spark has its own"
    ),
]
Final = Annotated[bool, typer.Option("--final", help="nothing more comes: a last line without line end is a record")]
AnyAddress = Annotated[
    bool, typer.Option("--any-address", help="listen where other machines can send; syslog has no password")
]


Engine = Annotated[str, typer.Option("--engine", help="duckdb or spark; what socml.toml says if not given")]
Master = Annotated[str, typer.Option("--master", help="of Spark: local[2], spark://host:7077, yarn, k8s://…")]


SEEDS = 2**32 - 1  # the largest that numpy's generators of old and scikit-learn take


def given_path(text: str) -> Path:
    """Return a path that was given; an empty one is a variable that was not set, and not this folder."""
    if not text:
        raise typer.BadParameter("it is empty; write . for this folder.")
    return Path(text)


def project_on(engine: str = "", master: str = "") -> Project:
    """Return the project with the engine that a verb was given. A master without an engine means Spark.

    Raises
    ------
    UnknownName
        If there is no such engine.
    """
    project = find_project()
    engine = engine or ("spark" if master else project.engine)
    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    return replace(project, engine=engine, master=master or project.master)
