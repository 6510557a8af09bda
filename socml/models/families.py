"""A supervised model version and the feature file of a run → each row's likeliest family, beside its scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from socml.project import Project, find_project, open_table, read_run, read_table, run_folder, write_table

if TYPE_CHECKING:
    import pandas as pd

    from socml.detectors import Classifier
    from socml.models.version import ModelVersion

BLOCK = 65_536  # rows at a time
FILE = "families.parquet"


def predict_families(version: ModelVersion, features: pd.DataFrame) -> pd.DataFrame:
    """Return the likeliest family of each row *if* it is malicious: family, probability (0 to 1); index as features.

    Empty of columns' values (null, NaN) where the model was taught no family.
    """
    import pandas as pd

    names = list(version.metadata.get("families") or [])
    by_row = features.set_index("row_id") if "row_id" in features.columns else features
    if not names:
        return pd.DataFrame({"family": None, "probability": np.nan}, index=by_row.index)
    shares = cast("Classifier", version.detector).family_proba(version.preparation.transform(features))
    best = shares.argmax(axis=1)
    family = np.array(names, dtype=object)[best]
    return pd.DataFrame({"family": family, "probability": shares[np.arange(len(best)), best]}, index=by_row.index)


def write_families(version: ModelVersion, features_path: Path, run_id: str, *, project: Project) -> Path | None:
    """Write the families of a run's rows beside its scores; None where the model was taught none."""
    if not version.metadata.get("families"):
        return None
    reads = ["row_id", *version.metadata["features"]]
    blocks = open_table(features_path).iter_batches(BLOCK, columns=reads)
    predictions = [predict_families(version, batch.to_pandas()).reset_index() for batch in blocks]
    tables = [pa.Table.from_pandas(table, preserve_index=False) for table in predictions]
    return write_table(run_folder(project, run_id) / FILE, pa.concat_tables(tables))


def load_families(run_id: str = "", *, project: Project | None = None) -> pd.DataFrame:
    """Return the families of a run's rows: index row_id; family, probability. Empty where the model knows none."""
    import pandas as pd

    project = project or find_project()
    path = run_folder(project, read_run(project, run_id)["run_id"]) / FILE
    if not path.is_file():
        return pd.DataFrame({"family": [], "probability": []}, index=pd.Index([], name="row_id"))
    stored: pd.DataFrame = read_table(path).to_pandas()
    return stored.set_index("row_id")
