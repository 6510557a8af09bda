"""A fitted model and what has happened since → a new version in the shadow of the champion, and how the two differ.

Conditions: `always`, `age>30d`, `labels>=50` (given since the last version was fitted), `drift` (of features or scores, in
the last seven listed days of the dataset). The last version is the shadow if it is newer than the champion, so that a timer
fits no other each night until somebody promotes it. Nothing is promoted here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from socml.features import build_feature_file, load_learning_rows, load_row_truth
from socml.jobs.night_state import nights_folder
from socml.jobs.status import recent_problems
from socml.labels import DIRECTION, read_labels
from socml.models import (
    CHAMPION,
    SHADOW,
    ModelVersion,
    anomaly_scores,
    fit,
    load_model,
    models,
    promote,
    rollback,
    set_shadow,
    standing_of,
    teaching_labels,
)
from socml.project import ConfigurationError, ModelRecipe, Project, audit, load_model_recipe

TOP = 100  # rows at the head of a ranking that are compared
_AGE = re.compile(r"age\s*>=?\s*(\d+)d")
_LABELS = re.compile(r"labels\s*>=?\s*(\d+)")


@dataclass(frozen=True)
class Beside:
    """A shadow beside its champion, over the same rows.

    Attributes
    ----------
    churn : share of the champion's first rows that are not among the shadow's, 0 to 1
    correlation : Spearman's, of all rows' scores
    flipped : labelled rows that are among the first of one and not of the other: (row, verdict, place then, place now)
    """

    champion: str
    shadow: str
    rows: int
    top: int
    churn: float
    correlation: float
    flipped: tuple[tuple[str, str, int, int], ...]

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Retrained:
    """Whether a model was fitted again, why or why not, and how the new version differs."""

    model: str
    fitted: bool
    why: str
    beside: Beside | None = None


def retrain(
    model: str, dataset: str, *, conditions: Sequence[str], project: Project, now: datetime | None = None
) -> Retrained:
    """Fit a model again if a condition holds; the new version becomes the shadow, never the champion.

    Raises
    ------
    ConfigurationError, UnknownName
        If a condition is none; if the model was never fitted.
    """
    now = now or datetime.now(UTC)
    champion = load_model(model, project=project)
    last = _last_fitted(champion, project)
    # what had drifted before the shadow was fitted is a reason for it, and for no other
    since = "" if last is champion else min(_fitted(last, project), now).date().isoformat()
    answers = [_holds(one, last, dataset, project, now, drift_since=since) for one in conditions or ("always",)]
    why = "; ".join(text for _, text in answers)
    if not any(holds for holds, _ in answers):
        return Retrained(model, False, why)
    recipe = load_model_recipe(model, project)
    table = _rows(recipe, dataset, project)
    truth = load_row_truth(dataset, recipe.features, project=project)
    labels = teaching_labels(recipe, dataset, project=project)
    version = fit(recipe, table, project=project, truth=truth, labels=labels)
    set_shadow(model, str(version.version), project)
    audit(project, "retrained", model=model, version=str(version.version), dataset=dataset, why=why)
    return Retrained(model, True, why, _beside(champion, version, table, dataset, project))


def compare_shadow(model: str, dataset: str, *, project: Project) -> Beside:
    """Return how a model's shadow ranks the rows of a dataset, beside its champion.

    Raises
    ------
    UnknownName
        If there is no shadow.
    """
    champion, shadow = (load_model(model, alias, project=project) for alias in (CHAMPION, SHADOW))
    table = _rows(load_model_recipe(model, project), dataset, project)
    return _beside(champion, shadow, table, dataset, project)


def promote_version(model: str, version: str, *, project: Project, by: str = "") -> str:
    """Make a version the champion, and say so in the audit; return its number.

    `by` is who does it, where that is not the user of this process.
    """
    standing = promote(model, version, project=project)
    audit(project, "promoted", **_who(by), model=model, champion=standing.champion, previous=standing.previous)
    return standing.champion


def roll_back(model: str, *, project: Project, by: str = "") -> str:
    """Make the champion of before the champion again, and say so in the audit; return its number. `by`: as above."""
    standing = rollback(model, project=project)
    audit(project, "rolled back", **_who(by), model=model, champion=standing.champion, previous=standing.previous)
    return standing.champion


def _who(by: str) -> dict[str, object]:
    return {"by": by} if by else {}


def beside(
    champion: str, shadow: str, then: pd.Series, now: pd.Series, verdicts: Mapping[str, str], *, top: int = TOP
) -> Beside:
    """Return how two versions' anomaly scores of the same rows differ.

    Parameters
    ----------
    champion, shadow : names of the versions
    then, now : their scores by row; higher is more ANOMALOUS
    verdicts : row → verdict; one that says neither malicious nor not is passed over
    top : rows at the head that are compared; at most a tenth of all, one at least
    """
    places = [of.rank(ascending=False, method="first").astype(int) for of in (then, now)]
    top = min(top, max(len(then) // 10, 1))
    before, after = ({str(row): int(place) for row, place in of.items()} for of in places)
    heads = [{row for row, place in of.items() if place <= top} for of in (before, after)]
    correlation = then.corr(now, method="spearman") if len(then) > 1 else 1.0
    flipped = [
        (row, verdicts[row], before[row], after[row])
        for row in sorted(verdicts)
        if verdicts[row] in DIRECTION and row in before and (row in heads[0]) != (row in heads[1])
    ]
    churn = len(heads[0] - heads[1]) / top
    return Beside(champion, shadow, len(then), top, churn, float(np.nan_to_num(correlation, nan=1.0)), tuple(flipped))


def _rows(recipe: ModelRecipe, dataset: str, project: Project) -> pd.DataFrame:
    """Return the rows that a version is fitted on and compared over: all that memory has room for, with all labelled ones."""
    path = build_feature_file(recipe.features, dataset, project=project)
    keep = read_labels(dataset=dataset, project=project).index
    return load_learning_rows(path, project=project, seed=recipe.seed, period=recipe.period, keep=keep)


def _beside(
    champion: ModelVersion, shadow: ModelVersion, table: pd.DataFrame, dataset: str, project: Project
) -> Beside:
    then, now = (anomaly_scores(version, table)["anomaly_score"] for version in (champion, shadow))
    labels = read_labels(dataset=dataset, project=project)
    verdicts = {str(row): str(verdict) for row, verdict in labels["verdict"].items()} if len(labels) else {}
    return beside(champion.label, shadow.label, then, now, verdicts)


def _last_fitted(champion: ModelVersion, project: Project) -> ModelVersion:
    """Return the shadow, if it was fitted after the champion; else the champion."""
    shadow = standing_of(champion.name, project).shadow
    is_newer = shadow and int(shadow) > int(str(champion.version))
    return load_model(champion.name, shadow, project=project) if is_newer else champion


def _holds(
    condition: str, last: ModelVersion, dataset: str, project: Project, now: datetime, *, drift_since: str = ""
) -> tuple[bool, str]:
    """Return whether a condition holds of the version that was fitted last, and that in words."""
    text = condition.strip()
    if text == "always":
        return True, "always"
    if text == "drift":
        recent = recent_problems(nights_folder(project, dataset), 7, now)
        found = [problem for problem in recent if problem.check.endswith("-drift") and problem.day >= drift_since]
        return bool(found), f"drift: {len(found):,} columns or scores in the last seven days"
    fitted = _fitted(last, project)
    if matched := _AGE.fullmatch(text):
        age = abs(now - fitted)  # fitted while the clock was years ahead, it would never be old
        return age >= timedelta(days=int(matched[1])), f"age: {age.days:,} of {matched[1]} days"
    if matched := _LABELS.fullmatch(text):
        labels = read_labels(dataset=dataset, project=project)
        times = pd.to_datetime(labels["time"], utc=True) if len(labels) else pd.Series([], dtype="datetime64[ns, UTC]")
        new = int((times > pd.Timestamp(fitted)).sum())  # type: ignore[operator]
        return new >= int(matched[1]), f"labels: {new:,} of {matched[1]} since {last.label} was fitted"
    raise ConfigurationError(f"{condition!r} is no condition. Known: always, drift, age>30d, labels>=50.")


def _fitted(version: ModelVersion, project: Project) -> datetime:
    table = models(project=project)
    row = table[(table["name"] == version.name) & (table["version"].astype(str) == str(version.version))]
    return pd.Timestamp(row["fitted"].iloc[0]).tz_convert(UTC).to_pydatetime()
