"""--engine and --master of a verb → the project it works on."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from socml.project import ENGINES, Project, UnknownName, find_project

Engine = Annotated[str, typer.Option("--engine", help="duckdb or spark; what socml.toml says if not given")]
Master = Annotated[str, typer.Option("--master", help="of Spark: local[2], spark://host:7077, yarn, k8s://…")]


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
