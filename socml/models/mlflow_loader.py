"""A registered model's folder, as MLflow finds it → what `mlflow.pyfunc.load_model` returns: features in, anomaly scores out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from socml import __version__
from socml.features import plain_table
from socml.models.scoring import as_anomaly
from socml.models.version_files import load_trusted
from socml.project import ModelError, Notice

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from socml.features import Rows

OUTPUT = "anomaly_score"


class ScoringModel:
    """A fitted pipeline as MLflow's tools call it.

    `predict` takes a table of the model's features, or what a server makes of JSON's `inputs` and `instances`, and gives a
    table of one column, `anomaly_score`: higher is more anomalous, comparable within one model version.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    def predict(
        self, model_input: Rows | Mapping[str, Iterable[object]], params: dict[str, object] | None = None
    ) -> pd.DataFrame:
        """Return the anomaly score of each row, index as the input's; `params` are not used.

        Raises
        ------
        ModelError
            If a column lacks or is of another kind; an MlflowException too, so that a server answers with its sentence.
        """
        import pandas as pd

        try:
            table = plain_table(_unpacked(model_input))
            normality = self.pipeline.score_samples(table) if len(table) else np.empty(0)
        except ModelError as error:
            raise _refused(error) from None
        scores = as_anomaly(np.asarray(normality, dtype=np.float64))
        return pd.DataFrame({OUTPUT: scores}, index=table.index)


def _unpacked(given: Rows | Mapping[str, Iterable[object]]) -> Rows:
    """Return rows without the arrays of no dimension that MLflow's server makes of JSON's `inputs` and `instances`."""
    import pandas as pd

    if isinstance(given, Mapping):
        return {
            name: [_value(cell) for cell in column] if _is_column(column) else column for name, column in given.items()
        }
    if isinstance(given, list) and all(isinstance(row, dict) for row in given):
        return pd.DataFrame([{name: _value(cell) for name, cell in row.items()} for row in given])
    return given


def _is_column(values: object) -> bool:
    return isinstance(values, Iterable) and not isinstance(values, str | bytes) and getattr(values, "ndim", 1) > 0


def _refused(error: ModelError) -> ModelError:
    """Return an error as one that MLflow's server answers with; of any other it shows the traceback."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import BAD_REQUEST

    class InputRefused(MlflowException, ModelError):
        pass

    return InputRefused(str(error), error_code=BAD_REQUEST)


def _value(cell: object) -> object:
    return cell.item() if isinstance(cell, np.ndarray) and not cell.ndim else cell


def _load_pyfunc(path: str) -> ScoringModel:
    """Load the model whose skops file is at `path`; the name is MLflow's. Says so if another socml wrote it."""
    from mlflow.models import Model

    file = Path(path)
    folder = file.parent if file.is_file() else file
    written_by = (Model.load(str(folder)).metadata or {}).get("socml_version", "")
    if written_by and written_by != __version__:
        warnings.warn(
            f"This model was written by socml {written_by}, and this is {__version__}: scores may differ. "
            f"pip install socml=={written_by}, or fit it again.",
            Notice,
            stacklevel=2,
        )
    return ScoringModel(load_trusted(file if file.is_file() else file / "model.skops"))
