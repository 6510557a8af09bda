"""Where the app lies, and the text of one of its pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

APP = Path(__file__).resolve().parents[1] / "app"


def all_text(app: Any) -> str:
    kinds = (app.text, app.caption, app.subheader, app.info, app.error, app.warning, app.code)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
