"""A model version, a feature table and rows → the explanation table: each feature's push, and what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import numpy as np

from socml.explanations.feature_columns import FeatureColumns, feature_columns
from socml.explanations.usual import usual_categories, usual_numbers
from socml.project import EXPLANATION, ModelError, component, component_names, is_own

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from socml.features import Preparation, Sequences
    from socml.models import ModelVersion


class Explainer(Protocol):
    """Tells how far each cell of a detector's matrix pushed a row: a row and `base` add up to what is explained."""

    @property
    def exact(self) -> bool:
        """Whether the pushes have no error; if they have, it is a `SampledExplainer`."""

    @property
    def unit(self) -> str:
        """What is explained, and the unit of every push."""

    @property
    def base(self) -> float:
        """Where a row of which nothing is known stands, in `unit`."""

    def contributions(self, X: np.ndarray, /) -> NDArray[np.float64]:
        """Return each cell's push, shape as X: positive pushes toward anomalous."""


class SampledExplainer(Explainer, Protocol):
    """An explainer whose pushes are estimated."""

    def sampled(self, X: np.ndarray, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pushes and the standard error of each, both shape as X."""


@runtime_checkable
class StepsExplainer(Protocol):
    """An explainer of sequences, which also tells their most surprising steps."""

    def in_steps(self, X: np.ndarray, /) -> list[str]:
        """Return the most surprising steps of each sequence, in words."""


DESCRIBED = 12  # features of a row, from the top, whose usual values are looked up
_USUAL = ("value_percentile", "entity_low", "entity_high", "everyone_low", "everyone_high", "peers")


def make_explainer(
    detector: object,
    *,
    typical: np.ndarray | None = None,
    origin: Sequence[str] | None = None,
    budget: int | None = None,
) -> Explainer:
    """Return the explainer that supports a fitted detector; an exact one if there is one.

    Parameters
    ----------
    typical : a row of the detector's matrix that others are compared with, where there is no exact explainer
    origin : the feature that each column of the matrix came from
    budget : scores that may be taken for a row, where the explanation is estimated

    Raises
    ------
    ModelError
        If none does, or the only one that does needs a typical row and there is none.
    """
    made: Explainer
    names = sorted(component_names("explainers"), key=lambda name: not is_own("explainers", name))  # one's own first
    kinds = [component("explainers", name) for name in names]
    for kind in sorted(kinds, key=lambda kind: not kind.exact):
        if not kind.supports(detector):
            continue
        if kind.exact:
            made = kind(detector)
            return made
        if typical is None:
            raise ModelError(f"{type(detector).__name__} is explained by comparison only: give the typical row.")
        made = kind(detector, typical, origin, **({} if budget is None else {"budget": budget}))
        return made
    raise ModelError(f"No explainer supports {type(detector).__name__}. Add one file to explainers/ of the project.")


def explainer_of(version: ModelVersion, *, budget: int | None = None) -> Explainer:
    """Return the explainer of a model version; one that compares does so with the row of every feature's usual value.

    Raises
    ------
    ModelError
        If nothing explains the detector.
    """
    from sklearn.utils import get_tags

    preparation = version.preparation
    if not get_tags(version.detector).input_tags.two_d_array:  # sequences are compared with nothing
        return make_explainer(version.detector)
    typical = preparation.transform(typical_row(preparation))[0]
    return make_explainer(version.detector, typical=typical, origin=list(preparation.origin_.values()), budget=budget)


def typical_row(preparation: Preparation | Sequences) -> pd.DataFrame:
    """Return a feature table of one row: every number its median, every category its most frequent."""
    import pandas as pd

    usual = preparation.typical_
    return pd.DataFrame(
        {
            name: pd.Series([usual.get(name)], dtype=None if name in preparation.numbers_ else object)
            for name in preparation.feature_names_in_
        }
    )


def feature_contributions(
    version: ModelVersion, rows: pd.DataFrame, explainer: Explainer | None = None
) -> pd.DataFrame:
    """Return how much each feature pushed each row toward anomalous: index as `rows`, one column a feature.

    A feature's columns of the matrix are added up. With the explainer's `base` a row adds up to what the
    explainer explains, in its `unit`. `attrs` says `unit`, `base`, and `error`: the largest standard error of a
    push, in the same unit, 0 where the explainer is exact.
    """
    return contributions_and_errors(version, rows, explainer)[0]


def contributions_and_errors(
    version: ModelVersion, rows: pd.DataFrame, explainer: Explainer | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return what `feature_contributions` does, and the standard error of each push, of the same shape; 0 is exact."""
    import pandas as pd

    explainer = explainer or explainer_of(version)
    origin = version.preparation.origin_
    features = list(dict.fromkeys(origin.values()))
    of_feature = np.zeros((len(origin), len(features)))
    of_feature[np.arange(len(origin)), [features.index(name) for name in origin.values()]] = 1.0
    matrix = version.preparation.transform(rows)
    if explainer.exact:
        parts = explainer.contributions(matrix)
        errors = np.zeros(parts.shape)
    else:
        parts, errors = cast("SampledExplainer", explainer).sampled(matrix)
    errors = errors @ of_feature
    collected = pd.DataFrame(parts @ of_feature, index=rows.index, columns=features)
    collected.attrs.update({"unit": explainer.unit, "base": explainer.base, "error": float(errors.max(initial=0.0))})
    return collected, errors


def explain(
    version: ModelVersion, features: pd.DataFrame | Path, row_ids: Sequence[str], *, explainer: Explainer | None = None
) -> pd.DataFrame:
    """Return why rows are as anomalous as they are: the explanation table, all features of each row.

    Parameters
    ----------
    features : the feature table that was scored, or its Parquet file (read a column at a time)
    row_ids : rows of it, or one
    explainer : one made before with `explainer_of`, to save its making

    Returns
    -------
    DataFrame by the contract EXPLANATION. What is usual is looked up for the top 12 features of each row.

    Raises
    ------
    DataError, ModelError
        If a row is not in the table, or nothing explains the detector.
    """
    import pandas as pd

    from socml.models import check_version

    check_version(version)
    row_ids = [cast("str", row_ids)] if np.isscalar(row_ids) else list(dict.fromkeys(row_ids))
    if not row_ids:
        return pd.DataFrame({name: [] for name in EXPLANATION})
    columns = feature_columns(features)
    positions = columns.positions(row_ids)
    rows = columns.take(positions)
    explainer = explainer or explainer_of(version)
    parts, errors = contributions_and_errors(version, rows, explainer)
    table = explanation_table(parts, errors, columns, positions, numbers=set(version.preparation.numbers_))
    if isinstance(explainer, StepsExplainer):  # a sequence is one feature, so that each row has one line
        table["category"] = explainer.in_steps(version.preparation.transform(rows))
    return table


def explanation_table(
    parts: pd.DataFrame, errors: np.ndarray, columns: FeatureColumns, positions: np.ndarray, *, numbers: set[str]
) -> pd.DataFrame:
    """Return the explanation table of rows at `positions`, whose pushes are `parts`, one column a feature.

    `errors` are the standard errors of the pushes, of the same shape: a row of zeros was told exactly. `numbers`
    are the features that are numbers; the others are categories.
    """
    rows = columns.take(positions)
    table = _ordered(parts, errors, rows)
    _add_usual(table, columns, rows, positions, numbers=numbers)
    return table[list(EXPLANATION)]


def _ordered(parts: pd.DataFrame, errors: np.ndarray, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a row and feature, those that push most toward anomalous first."""
    import pandas as pd

    pushes = parts.to_numpy()
    count, width = pushes.shape
    order = np.argsort(-pushes, axis=1, kind="stable")
    ordered = np.take_along_axis(pushes, order, axis=1)
    uncertain = np.where(errors.any(axis=1, keepdims=True), np.take_along_axis(errors, order, axis=1), np.nan)
    toward = np.maximum(ordered, 0).sum(axis=1, keepdims=True)
    share = np.divide(ordered, toward, out=np.zeros_like(ordered), where=toward > 0)
    return pd.DataFrame(
        {
            "row_id": np.repeat(rows.index.to_numpy(), width),
            "position": np.tile(np.arange(1, width + 1, dtype=np.int32), count),
            "feature": np.asarray(parts.columns, dtype=object)[order].ravel(),
            "value": np.nan,
            "category": None,
            "contribution": ordered.ravel(),
            "share": share.ravel(),
            "contribution_error": uncertain.ravel(),
            **dict.fromkeys(_USUAL, np.nan),
            "_row": np.repeat(np.arange(count), width),
        }
    ).astype({"category": object})


def _add_usual(
    table: pd.DataFrame, columns: FeatureColumns, rows: pd.DataFrame, positions: np.ndarray, *, numbers: set[str]
) -> None:
    """Fill in each feature's value and what is usual, a feature at a time; far down the list the value only."""
    for name, part in table.groupby("feature", sort=False):
        at, of = part.index.to_numpy(), part["_row"].to_numpy()
        here = rows[str(name)].iloc[of]
        if name in numbers:
            table.loc[at, "value"] = here.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            table.loc[at, "category"] = here.astype(object).where(here.notna(), None).to_numpy()
        near = part["position"].to_numpy() <= DESCRIBED
        if not near.any():
            continue
        if name in numbers:
            usual = _usual_numbers(columns, str(name), positions[of[near]])
        else:
            usual = usual_categories(here[near], columns.shares(str(name)))
        for key, found in usual.items():
            table.loc[at[near], key] = found


def _usual_numbers(columns: FeatureColumns, name: str, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is usual of one column; of a large table what it takes goes before the next one is read."""
    spread = columns.spread(name)  # first: it takes the column and more, and lets it go
    return usual_numbers(columns.numbers(name), positions, columns.entities, spread)
