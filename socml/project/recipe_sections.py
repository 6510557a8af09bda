"""A section of a recipe → checked values: how a model is taught, judged and searched for, what a sweep goes over, and a queue; and the name of a metric → what is measured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from socml.project.declared import Declared
from socml.project.errors import RecipeError, did_you_mean

RANKING = ("average_precision", "auroc", "ndcg", "precision_at_malicious")  # of the order alone
EVERYWHERE = ("incidents_detected_share", "family_accuracy")  # that every validation measures where it can
DECISIONS = ("f1", "accuracy", "precision", "recall")  # of the alerts
COUNTED = ("precision_at_K", "recall_at_K", "ndcg_at_K", "precision_at_K_a_day", "recall_at_K_a_day")  # K rows
SHARED = ("detection_rate_at_F",)  # F: share of benign rows that are above the threshold, 0 to 1
_COUNTED = re.compile(r"(precision|recall|ndcg)_at_(\d+)(_a_day)?")
_SHARED = re.compile(r"detection_rate_at_(0?\.\d+|1e-\d+)")


@dataclass(frozen=True)
class Metric:
    """A metric and its number: `kind` is its name with K or F where the number stands; higher is better."""

    name: str
    kind: str
    number: float = 0.0

    @property
    def needs_alerts(self) -> bool:
        """Say whether it is about alerts, and not about the order alone."""
        return self.kind in DECISIONS


def metric_of(name: str) -> Metric:
    """Return what a metric's name says.

    Raises
    ------
    RecipeError
        If there is no such metric; names the nearest.

    Examples
    --------
    >>> metric_of("recall_at_40_a_day")
    Metric(name='recall_at_40_a_day', kind='recall_at_K_a_day', number=40.0)
    >>> metric_of("detection_rate_at_0.01").number
    0.01
    >>> metric_of("recall@40")
    Traceback (most recent call last):
    ...
    socml.project.errors.RecipeError: There is no metric 'recall@40'. Did you mean 'recall'?
    """
    if name in RANKING or name in DECISIONS:
        return Metric(name, name)
    if (found := _COUNTED.fullmatch(name)) and int(found[2]) > 0 and not (found[1] == "ndcg" and found[3]):
        return Metric(name, f"{found[1]}_at_K{found[3] or ''}", float(found[2]))
    if found := _SHARED.fullmatch(name):
        return Metric(name, "detection_rate_at_F", float(found[1]))
    raise RecipeError(f"There is no metric {name!r}.{did_you_mean(name, [*RANKING, *DECISIONS, *COUNTED, *SHARED])}")


MODES = "random temporal temporal-cv cut-off sliding-window by-day cross-validation group unlabeled-labeled datasets".split()


def _checked_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a pattern: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_checked_pattern)]  # a regular expression


class Queue(Declared):
    """How the review queue of an experiment is built."""

    strategy: str = "most-anomalous"
    budget: int = Field(default=100, ge=1)
    parameters: dict[str, object] = {}


class Training(Declared):
    """What teaches a supervised model."""

    labels: Literal["truth", "analysts"] = "truth"  # the dataset's ground truth, or the current labels of analysts
    min_rows: int = Field(default=20, ge=2)  # labelled rows, at least
    min_malicious: int = Field(default=3, ge=1)  # malicious rows among them, at least; as many others
    families: bool = True  # whether the family of malicious rows is learned too


def _metric_name(name: str) -> str:
    try:
        return metric_of(name).name
    except RecipeError as error:
        raise ValueError(str(error)) from None


class Validation(Declared):
    """How a model is judged on rows that it was not fitted on."""

    mode: Literal[
        "random",
        "temporal",
        "temporal-cv",
        "cut-off",
        "sliding-window",
        "by-day",
        "cross-validation",
        "group",
        "unlabeled-labeled",
        "datasets",
    ] = "temporal"
    folds: int = Field(default=5, ge=2)  # of cross-validation, temporal-cv and group; repetitions of random
    test_share: float = Field(default=0.3, gt=0, lt=1)  # of the rows (random), or of them in time (temporal)
    cut_off: datetime | None = None  # fitted on rows before it, judged on those at it and after; UTC unless it says
    train_window: str = ""  # sliding-window: "3 days"
    test_window: str = ""  # "1 day"; the windows move by it
    entity: str = "entity"  # group: column whose values are in one fold only
    datasets: list[str] = []  # datasets: others, on which the model is judged
    seed: int = 0
    threshold: float | None = Field(default=None, gt=0, lt=1)  # probability above which a row is an alert; from costs
    alert_share: float = Field(default=0.01, gt=0, lt=1)  # detectors: share of the rows fitted on above the threshold
    false_positive_cost: float = Field(default=1.0, gt=0)  # of one alert for nothing, in any unit
    false_negative_cost: float = Field(default=1.0, gt=0)  # of one malicious row without an alert, in the same unit
    at: list[int] = [10, 100]  # rows looked at, for precision@k
    at_a_day: list[int] = [10]  # rows looked at each day
    replicates: int = Field(default=200, ge=20)  # of the bootstrap
    metrics: list[str] = []  # measured besides: "recall_at_40", "detection_rate_at_0.01"; see `metric_of`
    judged_by: Literal["truth", "analysts"] = "truth"  # ground truth (labels where there is none), or labels alone

    @field_validator("metrics")
    @classmethod
    def _are_metrics(cls, names: list[str]) -> list[str]:
        return [_metric_name(name) for name in names]

    @field_validator("cut_off")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment

    @model_validator(mode="after")
    def _has_what_its_mode_needs(self) -> Validation:
        needs = {
            "cut-off": ["cut_off"],
            "sliding-window": ["train_window", "test_window"],
            "datasets": ["datasets"],
        }.get(self.mode, [])
        for name in needs:
            if not getattr(self, name):
                raise ValueError(f"mode {self.mode!r} needs {name!r}")
        if any(k < 1 for k in (*self.at, *self.at_a_day)):
            raise ValueError("'at' and 'at_a_day' are numbers of rows, at least 1")
        return self

    @property
    def probability_threshold(self) -> float:
        """Return the probability above which an alert costs less than its absence: as given, or from the costs."""
        total = self.false_positive_cost + self.false_negative_cost
        return self.threshold if self.threshold is not None else self.false_positive_cost / total


class Search(Declared):
    """Which parameters are tried, and how many rows the first round sees."""

    parameters: dict[str, list[object]] = Field(min_length=1)  # values; "preparation.log" for the step before
    candidates: int = Field(default=27, ge=2)  # drawn from all combinations, or all if they are fewer
    factor: int = Field(default=3, ge=2)  # each round keeps one in so many, and gives them so many times the rows
    min_rows: int = Field(default=200, ge=20)  # of the first round
    metric: str = "average_precision"  # that is to be high: `metric_of` knows them

    @field_validator("metric")
    @classmethod
    def _is_metric(cls, name: str) -> str:
        return _metric_name(name)


class Sweep(Declared):
    """Lists whose every combination is a cell: datasets × feature sets × models × seeds."""

    datasets: list[str] = Field(min_length=1)
    models: list[str] = Field(min_length=1)
    features: list[str] = []  # empty: each model's own
    seeds: list[int] = Field(default=[0], min_length=1)
    metric: str = "average_precision"  # what the comparison is about; higher is better
    workers: int = Field(default=2, ge=1)  # processes

    @field_validator("metric")
    @classmethod
    def _is_metric(cls, name: str) -> str:
        return name if name in EVERYWHERE else _metric_name(name)

    @model_validator(mode="after")
    def _names_each_once(self) -> Sweep:
        for name in ("datasets", "models", "features", "seeds"):
            listed = getattr(self, name)
            if len(set(listed)) < len(listed):
                raise ValueError(f"{name!r} names something twice")
        return self


class Download(Declared):
    """One file of a dataset that `socml fetch` gets."""

    url: str = Field(pattern=r"^https?://")
    file: str = Field(default="", pattern=r"^[^/\\]*$")  # name to store it by; empty: the last part of `url`
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")  # empty: not known, so nothing is verified
    unpack: bool = False  # an archive of many files (zip, tar): its regular files are what is stored

    @property
    def name(self) -> str:
        """Return the name to store it by."""
        from urllib.parse import unquote, urlsplit

        return self.file or unquote(urlsplit(self.url).path.rsplit("/", 1)[-1]) or "download"


class Labels(Declared):
    """A table of labels beside the records (CSV, packed or not), and how its rows and the events find each other."""

    file: str  # its name, in the folder of the records or the one above; \1 is the first group of `records`
    records: Pattern = ".*"  # pattern of the whole names of the files of records that it is about
    header: bool = True
    columns: list[str] = []  # names, for a table without a header
    label: str = ""  # its column that says it; empty: whatever is listed is malicious
    on: dict[str, str] = {}  # its column → event column with the same value; none: its n-th row is about the n-th row
    find: dict[str, Pattern] = {}  # event column → pattern: what it finds is looked up, instead of the whole value


class Stream(Declared):
    """What makes the files of a dataset one stream, and when the last line of a file is taken for whole.

    Without it a stream is a folder and a file name without rotation number, date and compression.
    """

    folder_levels: int | None = Field(default=None, ge=0)  # folders that count, from the file up; 1: a folder a host
    pattern: Pattern = ""  # or found in the path: what its groups say (`host`) stands for the folder
    copies: bool = False  # the same bytes under two paths are one file
    wait_minutes: float = Field(default=10.0, ge=0)  # a last line without line end waits while the file is younger

    @model_validator(mode="after")
    def _says_one_thing(self) -> Stream:
        if self.pattern and self.folder_levels is not None:
            raise ValueError("'pattern' and 'folder_levels' both say what makes a stream: give one")
        if self.pattern and not re.compile(self.pattern).groups:
            raise ValueError("'pattern' needs a group, for example (?P<host>[^/]+)/[^/]+$")
        return self


class Truth(Declared):
    """Where ground truth stands in a dataset's records, for the metrics only; it never becomes a feature."""

    column: str = ""  # column of the record that says it
    malicious: list[str] = []  # values that mean malicious; empty: all but `benign` and `unknown`
    benign: list[str] = []
    unknown: list[str] = []
    family_column: str = ""
    techniques: dict[str, str] = {}  # family → ATT&CK technique
    file: str = ""  # or a table (Parquet) beside the records: source_file, source_line, malicious, family, technique
    labels: Labels | None = None  # or a table of labels beside the records, joined by columns or row by row
    path: Pattern = ""  # or a pattern: files in whose path it is found are malicious; its group `family` names the kind
    others: Literal["benign", "unknown"] = "unknown"  # what events are that `file`, `labels` or `path` does not name


class DailyList(Declared):
    """What a feature set says of itself when it is a part of the daily list: one row an entity and day.

    Its SELECT reads the views of `socml.features.meanings`, and for each key of `first_seen` the views `KEY` (the key's
    columns, first_day, began) and `KEY_sources` (all its columns but the last, day, sources so far).
    """

    period: Literal["", "1 day"] = ""  # empty: not of the daily list
    family: str = ""  # kind of behaviour that the columns tell of; of a family only the largest column counts
    role: Literal["", "source", "destination", "host", "account"] = ""  # in which the entity stands in the row
    outside: bool = False  # whether entities outside the organisation count; else only those inside
    floor: float = Field(default=0, ge=0)  # a value below it says nothing; not for columns of `new`
    weight: float = Field(default=1, gt=0, le=1)  # of the family beside others
    first_seen: dict[str, list[str]] = {}  # key → columns of `meanings`; the last is who has used what the others name
    new: list[str] = []  # columns that count what was never seen before: own history says nothing about them
    usual: dict[str, float] = {}  # column → value that one entity in ten reaches, for the days without enough peers
    shown_with: dict[str, str] = {}  # column → column of the SELECT that names what it is about


class FeatureSets(Declared):
    """The feature sets that a model reads: `features = "one"`, or `features = ["several", …]` for the daily list."""

    feature_sets: list[str] = []  # what `features` names, where it is a list

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, declared: object) -> object:
        if not isinstance(declared, dict):
            return declared
        if isinstance(declared.get("features"), list):
            if declared.get("mode") != "daily":
                raise ValueError(
                    'features is a list, which is for mode = "daily"; any other model reads one feature set'
                )
            return {**declared, "features": "", "feature_sets": declared["features"]}
        return declared
