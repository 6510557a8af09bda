"""What labels say of a campaign: figures that are right on average, and intervals that hold what they promise."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from builders import make_project, make_rows, make_run
from shell import socml

from socml.project.errors import DataError
from socml.project.wording import words
from socml.project.workspace import features_path
from socml.review.campaign import campaign_report, overview, report_lines
from socml.review.campaign_estimates import Estimate, agreement, malicious_among_open, share
from socml.review.label_quality import ask_again, likely_errors, report
from socml.review.loop import Triage

COLUMNS = ["label_id", "row_id", "verdict", "family", "by", "suggested", "queue_reason", "inclusion_probability"]


def labels_of(*rows: tuple, **constant) -> pd.DataFrame:
    """Return labels; a row is (row_id, verdict, {more})."""
    made = []
    for number, (row_id, verdict, *more) in enumerate(rows, 1):
        base = {"label_id": number, "row_id": row_id, "verdict": verdict, "family": None, "by": "ana"}
        base |= {"suggested": False, "queue_reason": "most-anomalous", "inclusion_probability": None}
        made.append({**base, **constant, **(more[0] if more else {})})
    frame = pd.DataFrame(made, columns=COLUMNS)
    return frame.astype({"inclusion_probability": "float64", "suggested": "bool"})


def ranks_of(n: int) -> pd.Series:
    return pd.Series(np.arange(1, n + 1), index=pd.Index([f"r{i}" for i in range(n)], name="row_id"))


def campaign(rng: np.random.Generator, *, rows: int, malicious: int, labels: int, audit: float) -> tuple:
    """Simulate a campaign on a run whose ranking is good but not perfect; one label in some is drawn by lot."""
    truth = np.zeros(rows, dtype=bool)
    truth[rng.permutation(rows)[:malicious]] = True
    order = np.argsort(-(truth * 1.0 + rng.normal(0, 0.7, rows)))
    queues = {False: iter(order.tolist()), True: iter(rng.permutation(rows).tolist())}
    is_open = np.ones(rows, dtype=bool)
    given = []
    for number in range(1, labels + 1):
        drawn = number % round(1 / audit) == 0
        row = next(row for row in queues[drawn] if is_open[row])
        reason = {"queue_reason": "random-audit", "inclusion_probability": 1 / is_open.sum()} if drawn else {}
        given.append((f"r{row}", "malicious" if truth[row] else "benign", reason))
        is_open[row] = False
    ranks = pd.Series(np.empty(rows, dtype=int), index=[f"r{i}" for i in range(rows)])
    ranks.iloc[order] = np.arange(1, rows + 1)
    return labels_of(*given), ranks, truth, is_open


@pytest.mark.parametrize(("malicious", "audit"), [(150, 0.5), (40, 0.2), (400, 0.1)])
def test_what_is_left_is_estimated_without_bias_and_its_interval_holds(malicious, audit):
    rng = np.random.default_rng(malicious)
    values, truths, held = [], [], 0
    for _ in range(60):
        labels, ranks, truth, is_open = campaign(rng, rows=1000, malicious=malicious, labels=200, audit=audit)
        left = campaign_report(labels, ranks).left
        really = int(truth[is_open].sum())
        values.append(left.value)
        truths.append(really)
        held += left.low <= really <= left.high
    error = np.array(values) - np.array(truths)
    assert abs(error.mean()) < 3 * error.std() / np.sqrt(len(error)) + 0.05 * np.mean(truths)
    assert held / 60 >= 0.9, "an interval of 95 % must hold the truth about 57 times in 60"


def test_an_estimate_from_the_queues_top_alone_would_be_biased():
    rng = np.random.default_rng(0)
    labels, ranks, truth, is_open = campaign(rng, rows=1000, malicious=150, labels=200, audit=0.2)
    by_hits = campaign_report(labels, ranks).hits.value * is_open.sum()
    assert by_hits > 2 * truth[is_open].sum()


def test_the_precision_of_the_top_is_known_when_all_of_it_is_labelled():
    ranks = ranks_of(300)
    labels = labels_of(*[(f"r{i}", "malicious" if i < 40 else "benign") for i in range(100)])
    assert campaign_report(labels, ranks).precision_top == Estimate(0.4, 0.4, 0.4, 100)


def test_without_draws_only_certain_bounds_are_told():
    ranks = ranks_of(300)
    labels = labels_of(*[(f"r{i}", "malicious" if i < 10 else "benign") for i in range(50)])
    told = campaign_report(labels, ranks)
    assert told.left == Estimate(None, 0.0, 250.0, 0)
    assert told.precision_top == Estimate(None, 0.1, 0.6, 50)
    assert told.audited == 0


def test_the_precision_of_the_top_holds_in_simulated_campaigns():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(100):
        labels, ranks, truth, _ = campaign(rng, rows=400, malicious=80, labels=120, audit=0.5)
        top = campaign_report(labels, ranks).precision_top
        really = truth[[int(row[1:]) for row in ranks.nsmallest(100).index]].mean()
        held += top.low <= round(really, 3) <= top.high
    assert held >= 92


@pytest.mark.parametrize(("p", "n"), [(0.02, 60), (0.2, 40), (0.5, 25), (0.9, 50)])
def test_the_interval_of_a_share_holds(p, n):
    hits = np.random.default_rng(1).binomial(n, p, 2000)
    intervals = {k: share(k, n) for k in set(hits.tolist())}
    assert np.mean([intervals[k].low <= p <= intervals[k].high for k in hits.tolist()]) > 0.9


def test_no_malicious_draw_leaves_an_upper_bound_and_not_nothing():
    """The rule of three: after 100 draws without one, up to about 3.7 in 100 may be."""
    left = malicious_among_open(np.full(100, 10_000.0), np.zeros(100), np.zeros(100, dtype=bool), open_now=9_900)
    assert left.value == 0
    assert 300 < left.high < 400


def test_two_who_agree_by_chance_have_a_kappa_of_nothing():
    rng = np.random.default_rng(0)
    pairs = list(zip(rng.choice(["malicious", "benign"], 4000), rng.choice(["malicious", "benign"], 4000), strict=True))
    found = agreement(pairs)
    assert abs(found.value) < 0.05
    assert found.low < 0 < found.high


def test_kappa_is_that_of_a_published_example():
    """Two readers of 50 grant applications: 20 yes both, 15 no both, 5 and 10 apart; Cohen's kappa is 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert agreement(pairs).value == 0.4


def test_only_rows_that_two_have_decided_count_for_agreement():
    labels = labels_of(
        ("r0", "malicious"), ("r0", "malicious", {"by": "bob"}),
        ("r1", "benign"), ("r1", "malicious", {"by": "bob"}), ("r1", "benign", {"by": "bob"}),
        ("r2", "benign"), ("r2", "skip", {"by": "bob"}),
        ("r3", "malicious"), ("r3", "malicious", {"by": "bob", "suggested": True}),
    )  # fmt: skip
    found = campaign_report(labels, ranks_of(10)).kappa
    assert (found.value, found.n) == (1.0, 2)


def test_families_are_counted_as_they_are_found():
    labels = labels_of(
        ("r0", "malicious", {"family": "scan"}), ("r1", "benign", {"family": "backup"}),
        ("r2", "malicious", {"family": "scan"}), ("r3", "malicious", {"family": "dns"}), ("r4", "malicious"),
    )  # fmt: skip
    told = campaign_report(labels, ranks_of(10))
    assert told.families["families"].to_list() == [1, 1, 1, 2, 2]
    assert told.new_family.value == pytest.approx(1 / 3)
    assert (told.labelled, told.malicious) == (5, 4)


def test_suggestions_are_judged_by_those_that_were_drawn_to_be_checked():
    suggested = [(f"r{i}", "benign", {"suggested": True}) for i in range(20)]
    checked = [(f"r{i}", "malicious" if i == 0 else "benign", {"queue_reason": "check-suggestion"}) for i in range(4)]
    chosen = [("r10", "malicious")]  # looked at for another reason: it says nothing about the rest
    told = campaign_report(labels_of(*suggested, *checked, *chosen), ranks_of(40))
    assert (told.suggestions.value, told.suggestions.n) == (0.75, 4)
    assert told.suggested == 15
    assert told.left_suggested.value == pytest.approx(15 / 4, abs=0.1)
    assert told.labelled == 5


def test_what_nobody_checked_is_not_known():
    told = campaign_report(labels_of(("r0", "benign", {"suggested": True})), ranks_of(4))
    assert (told.left_suggested.value, told.left_suggested.high) == (None, 1.0)


def test_draws_that_are_unsure_are_counted_apart():
    labels = labels_of(
        ("r5", "unsure", {"queue_reason": "random-audit", "inclusion_probability": 0.1}),
        ("r6", "benign", {"queue_reason": "random-audit", "inclusion_probability": 1 / 9}),
    )
    told = campaign_report(labels, ranks_of(10))
    assert (told.audited, told.undecided) == (1, 1)


def test_a_report_of_no_labels_says_that_nothing_is_known():
    told = campaign_report(labels_of(), ranks_of(10)).to_dict()
    assert told["left"] == {"value": None, "low": 0.0, "high": 10.0, "n": 0}
    assert (told["labelled"], told["malicious"], told["families"]) == (0, 0, [])
    json.dumps(told)


def test_labels_of_other_runs_do_not_count():
    labels = labels_of(("elsewhere", "malicious"), ("r0", "malicious"))
    assert campaign_report(labels, ranks_of(3)).labelled == 1


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


def answered(project, run, n: int, *, wrong: int = 0, by: str = "ana") -> list[str]:
    """Let an analyst label the first rows of the mixed queue rightly, but for the first `wrong`."""
    rows = []
    with Triage(run.run_id, project=project, by=by, strategy="mixed", seed=1) as triage:
        for number in range(n):
            row_id = str(triage.offer(3, keep=[])["row_id"].iloc[0])
            is_malicious = bool(run.truth[row_id]) != (number < wrong)
            family = run.families[row_id] if run.truth[row_id] else ""
            triage.label(row_id, "malicious" if is_malicious else "benign", client_id=f"{by}{number}", family=family)
            rows.append(row_id)
    return rows


def test_a_real_campaign_is_reported_from_the_store(project):
    run = make_run(project, rows=600, hostile=False)
    answered(project, run, 80)
    told = report(run.run_id, project=project)
    assert (told.rows, told.labelled, told.audited) == (600, 80, 5)
    assert told.left.low <= run.truth.sum() - told.malicious <= told.left.high
    assert told.families["families"].iloc[-1] == 2


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_report_is_said_in_words(project, language):
    run = make_run(project)
    answered(project, run, 30)
    say = words(language)
    told = report(project=project)
    assert say.number(30) in overview(told, say)
    lines = report_lines(told, say)
    assert len({line.name for line in lines}) == len(lines) == 7
    assert all(line.about and line.interval for line in lines)
    assert next(line for line in lines if line.key == "kappa").value == say("campaign.unknown")


def test_the_command_line_reports_checks_exports_and_imports(project, tmp_path):
    run = make_run(project, rows=600, hostile=False)
    rows = answered(project, run, 120, wrong=2)
    told = json.loads(socml("labels", "report", "--json", cwd=tmp_path)[0])
    assert told["labelled"] == 120
    assert "Cohen" in socml("labels", "report", cwd=tmp_path)[0]
    found = json.loads(socml("labels", "check", "--queue", "--json", cwd=tmp_path)[0])
    assert found["asked"] == len(found["errors"]) >= 1
    assert {error["row_id"] for error in found["errors"]} & set(rows[:2]), "a slip of the key is found"
    assert "wrong" in socml("labels", "check", cwd=tmp_path)[0]
    with Triage(project=project, by="ana") as triage:
        assert "likely-error" in set(triage.offer(25)["reason"])
    assert "120 labels written" in socml("labels", "export", "out.csv", cwd=tmp_path)[0]
    said = json.loads(socml("labels", "import", "out.csv", "--json", cwd=tmp_path)[0])
    assert (said["imported"], said["known_before"]) == (0, 120)
    make_rows(project, "x", "y")
    (tmp_path / "kdd.csv").write_text("row_id,label\nx,neptune\ny,open\n")
    said, _ = socml("labels", "import", "kdd.csv", cwd=tmp_path)
    assert "neptune (1)" in said
    assert "open (1)" in said
    assert "1 label imported" in socml("labels", "import", "kdd.csv", "--map", "neptune=malicious", cwd=tmp_path)[0]
    assert "WORD=VERDICT" in socml("labels", "import", "kdd.csv", "--map", "neptune", cwd=tmp_path, code=2)[1]


def test_errors_without_a_feature_table_are_said_so(project):
    run = make_run(project)
    answered(project, run, 3)
    features_path(project, run.dataset, run.feature_set).unlink()
    with pytest.raises(DataError, match="feature table of run built-0 is not there"):
        likely_errors(project=project)


def test_nothing_is_suspected_without_labels(project):
    make_run(project)
    errors = likely_errors(project=project)
    assert errors.empty
    assert ask_again(errors, by="ana", project=project) == 0
