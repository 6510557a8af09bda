"""Options that several verbs have, each declared once."""

from __future__ import annotations

from typing import Annotated

import typer

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
