"""A model file and a few rows → the folder in which MLflow's tools find a model: `MLmodel`, its environment, its example.

Written here as `mlflow.sklearn.save_model` writes it, which would import MLflow for three CPU seconds.
`mlflow.sklearn.load_model` gives the pipeline; `mlflow.pyfunc` and a server give anomaly scores.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from socml import __version__
from socml.models.mlflow_loader import OUTPUT, ScoringModel

if TYPE_CHECKING:
    import pandas as pd

MODEL = "model.skops"
WRITTEN_FOR = "3.17.2"  # the MLflow whose form this is, where none is installed
EXAMPLE, SERVING = "input_example.json", "serving_input_example.json"


def write_mlflow_folder(folder: Path, model: Path, example: pd.DataFrame, types: Sequence[str]) -> None:
    """Write the folder of a model whose skops file is `model`; `types` are those in it that skops does not know."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model, folder / MODEL)
    mlflow, python = _version_of("mlflow") or WRITTEN_FOR, platform.python_version()
    _write_environment(folder, python, [f"mlflow=={mlflow}", f"socml=={__version__}"])
    rows = json.loads(example.to_json(orient="split", index=False, default_handler=str, double_precision=15))
    _write_json(folder / EXAMPLE, rows)
    _write_json(folder / SERVING, {"dataframe_split": rows})
    about = {
        "flavors": _flavors(python, types),
        "metadata": {
            "socml_version": __version__,
            "output": f"{OUTPUT}: higher is more anomalous",
            "features": {str(name): str(kind) for name, kind in example.dtypes.items()},
        },
        "mlflow_version": mlflow,
        "model_size_bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "model_uuid": uuid4().hex,
        "saved_input_example_info": {
            "artifact_path": EXAMPLE,
            "serving_input_path": SERVING,
            "type": "dataframe",
            "pandas_orient": "split",
        },
        "signature": signature(),
        "utc_time_created": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}",
    }
    _write_json(folder / "MLmodel", about)


def _write_environment(folder: Path, python: str, requirements: list[str]) -> None:
    _write(folder / "requirements.txt", "\n".join(requirements) + "\n")
    # JSON is YAML, and MLflow reads it as that
    environment = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": requirements}],
    }
    _write_json(folder / "conda.yaml", environment)
    _write_json(
        folder / "python_env.yaml",
        {
            "python": python,
            "build_dependencies": ["pip", "setuptools", "wheel"],
            "dependencies": ["-r requirements.txt"],
        },
    )


def _flavors(python: str, types: Sequence[str]) -> dict[str, dict[str, object]]:
    return {
        "python_function": {
            "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            "loader_module": ScoringModel.__module__,
            "model_path": MODEL,
            "python_version": python,
        },
        "sklearn": {
            "code": None,
            "pickled_model": MODEL,
            "serialization_format": "skops",
            "sklearn_version": installed("scikit-learn"),
            "skops_trusted_types": list(types),
        },
    }


def signature() -> dict[str, str | None]:
    """Return what a model gives, as MLflow's signature: it names no inputs, so that any table is handed on as it came.

    With types MLflow refuses a whole number where others were fitted on, a missing one among whole numbers, and CSV where a
    type is open; the model itself says what is wrong with a table.
    """
    given = [{"type": "double", "name": OUTPUT, "required": True}]
    return {"inputs": None, "outputs": json.dumps(given), "params": None}


def _version_of(package: str) -> str:
    try:
        return installed(package)
    except PackageNotFoundError:
        return ""


def _write_json(path: Path, value: object) -> None:
    _write(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
