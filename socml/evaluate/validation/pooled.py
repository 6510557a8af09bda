"""Judged rows → their metrics: of one fold, and of all together with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from socml.evaluate.metrics.chosen import chosen_metrics
from socml.evaluate.metrics.daily import precision_at_a_day, time_to_detection
from socml.evaluate.metrics.decisions import decision_metrics
from socml.evaluate.metrics.intervals import bootstrap, wilson
from socml.evaluate.metrics.ranking import absent_of, intervals_of, ranking_metrics
from socml.evaluate.validation.judged import Judged
from socml.project import Validation

if TYPE_CHECKING:
    from collections.abc import Sequence


def fold_metrics(judged: Judged, validation: Validation) -> dict[str, object]:
    """Return the metrics of one fold's rows, plain values."""
    return {
        "name": str(judged.fold[0]),
        "train_rows": judged.train_rows,
        "train_malicious": judged.train_malicious,
        "threshold": judged.threshold,
        **_measured(judged, validation),
    }


def pooled_metrics(judged: Judged, validation: Validation) -> dict[str, object]:
    """Return the metrics of all rows, and `intervals`: 95 %, Wilson's of shares, of rankings by bootstrap over
    entities (over rows where there are fewer than ten)."""
    found = _measured(judged, validation)
    intervals = intervals_of(found)
    del found["intervals"]
    resampled = bootstrap(
        judged.order,
        judged.malicious,
        rng=np.random.default_rng(validation.seed),
        at=validation.at,
        groups=judged.row_id if validation.mode == "random" else judged.groups,
        replicates=validation.replicates,
    )
    intervals |= {name: list(ends) for name, ends in resampled.items() if name in found}
    return {**found, "intervals": {name: list(ends) for name, ends in intervals.items()}}


def _measured(judged: Judged, validation: Validation) -> dict[str, object]:
    found = ranking_metrics(judged.order, judged.malicious, at=validation.at)
    absent = dict(absent_of(found))
    found.pop("absent", None)
    found |= decision_metrics(
        judged.alert,
        judged.malicious,
        false_positive_cost=validation.false_positive_cost,
        false_negative_cost=validation.false_negative_cost,
    )
    intervals = intervals_of(found)
    for k in validation.at_a_day:
        name = f"precision_at_{k}_a_day"
        daily = precision_at_a_day(judged.order, judged.malicious, judged.time_us, k)
        if daily is None:
            absent[name] = "no row of known truth has a time"
        else:
            found[name], intervals[name] = daily["precision"], daily["interval"]
            found["days"] = daily["days"]
    named = (judged.malicious == 1) & (judged.family != "") & (judged.told != "")
    if named.any():  # of malicious rows alone: how often the family was right
        right = int((judged.family[named] == judged.told[named]).sum())
        found["family_accuracy"], intervals["family_accuracy"] = (
            right / int(named.sum()),
            wilson(right, int(named.sum())),
        )
    found |= _detection(judged, intervals, absent)
    missing = [name for name in validation.metrics if name not in found]
    more, why_not = chosen_metrics(missing, judged.order, judged.malicious, alert=judged.alert, time_us=judged.time_us)
    found, absent = {**found, **more}, {**absent, **why_not}
    found["intervals"] = {name: list(ends) for name, ends in intervals.items()}
    return {**found, "absent": absent} if absent else found


def _detection(judged: Judged, intervals: dict[str, Sequence[float]], absent: dict[str, str]) -> dict[str, object]:
    """Return how long incidents (an entity's rows of one family) ran before their first alert."""
    named = judged.entity.astype(str)
    incidents = np.array(
        ["\x1f".join(parts) for parts in zip(judged.dataset, named, judged.family.astype(str), strict=True)],
        dtype=object,
    )
    malicious = np.where(named == "", np.nan, judged.malicious)
    detection = time_to_detection(judged.alert, malicious, judged.time_us, incidents)
    if detection is None:
        absent["time_to_detection_median_s"] = "no malicious row has both an entity and a time"
        return {}
    intervals["incidents_detected_share"] = detection["interval"]
    found: dict[str, object] = {
        "incidents": detection["incidents"],
        "incidents_detected": detection["detected"],
        "incidents_detected_share": detection["detected_share"],
    }
    if "median_s" in detection:
        found |= {"time_to_detection_median_s": detection["median_s"], "time_to_detection_p90_s": detection["p90_s"]}
    else:
        absent["time_to_detection_median_s"] = "no incident was detected"
    return found
