"""socml.Review: the loop over a table of one's own, over scores, and over a stored run."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

import socml
from socml.evaluate import evaluate
from socml.explanations import project_rows
from socml.models.scoring import score_run
from socml.project import ConfigurationError, DataError, ModelError, ModelRecipe, Project, UnknownName
from socml.review import Triage


def people() -> pd.DataFrame:
    """A table that is no log: two kinds of odd rows, the odder kind harmless, and which is which in `wrong`."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(600, 4)), columns=["age", "height", "pulse", "steps"])
    table["group"] = rng.choice(["x", "y"], 600)
    table.loc[:19, ["age", "height"]] += 7.0
    table.loc[20:39, "pulse"] -= 7.0
    return table.assign(wrong=[20 <= i < 40 for i in range(600)])


@pytest.fixture
def review():
    with socml.Review(people(), detector="isolation-forest", truth="wrong", n_estimators=60) as opened:
        yield opened


def test_the_ranking_moves_after_labels_and_comes_back_after_undo(review):
    before = review.ranking()
    odd = [str(i) for i in range(8)]
    for row in odd:
        review.label(row, "benign")
    after = review.ranking()
    assert after.rank()[[str(i) for i in range(10, 20)]].mean() < before.rank()[[str(i) for i in range(10, 20)]].mean()
    assert not set(review.queue(600)["row_id"]) & set(odd)
    for _ in odd:
        review.undo()
    assert review.ranking().equals(before)


def test_the_index_of_the_queue_names_its_rows(review):
    queue = review.queue(5)
    assert queue.index.tolist() == queue["row_id"].tolist()
    assert review.label(queue.index[0], "benign").row_id == queue["row_id"].iloc[0]


def test_the_truth_answers_and_is_no_feature(review):
    told = review.answer(30)
    malicious = (told["verdict"] == "malicious").sum()
    without = review.triage.scores.sort_values("rank").index[:30]
    assert malicious > sum(20 <= int(row) < 40 for row in without)
    assert "wrong" not in review.explain("25")["What"].str.lower().tolist()
    assert len(review.labels()) == 30


def test_what_was_learnt_moves_the_list_of_a_later_table(review):
    later = people().drop(columns="wrong").iloc[:60].reset_index(drop=True)
    untaught = review.rank(later)
    review.answer(25)
    taught = review.rank(later)
    assert taught.rank()[20:40].mean() > untaught.rank()[20:40].mean()
    assert list(taught.index) == list(later.index)


def test_an_explanation_names_the_odd_column(review):
    told = review.explain(25)
    assert told["What"].iloc[0].lower() == "pulse"
    assert "ulse" in told.attrs["headline"]


def test_a_saved_review_reads_back(review, tmp_path):
    review.label(3, "benign")
    folder = review.save(tmp_path / "kept")
    detector = socml.models.load_trusted(folder / "detector.skops")
    table = people().drop(columns="wrong")
    assert np.array_equal(detector.anomaly_score(table), review.triage.scores["anomaly_score"])
    assert pd.read_parquet(folder / "labels.parquet")["verdict"].tolist() == ["benign"]
    assert (folder.stat().st_mode & 0o077, (folder / "labels.parquet").stat().st_mode & 0o077) == (0, 0)


def test_a_review_can_begin_with_labels():
    table = people().drop(columns="wrong")
    labels = {**dict.fromkeys(range(5), "benign"), **dict.fromkeys(range(20, 25), "malicious")}
    with socml.Review(table, detector="robust-z", labels=labels) as review:
        assert len(review.labels()) == 10
        assert review.queue(1)["moved"].iloc[0] >= 0


def test_scores_alone_make_a_queue_without_learning():
    with socml.Review(pd.Series([1.0, 5.0, 2.0], index=["a", "b", "c"])) as review:
        assert review.queue()["row_id"].tolist() == ["b", "c", "a"]
        review.label("b", "benign")
        assert review.queue()["row_id"].tolist() == ["c", "a"]
        with pytest.raises(DataError, match="Give the table"):
            review.explain("a")
        with pytest.raises(DataError, match="fitted table"):
            review.rank(people())


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: socml.Review(people().set_axis([0] * 600)), DataError, "names a row twice"),
        (lambda: socml.Review(people(), truth="wrnog"), DataError, "Did you mean 'wrong'"),
        (
            lambda: socml.Review(people().assign(copy=people()["wrong"]), truth="wrong"),
            DataError,
            "says the truth itself",
        ),
        (lambda: socml.Review(people(), truth="age"), DataError, "write 1 or True"),
        (lambda: socml.Review(people(), detector="isolation-forrest"), UnknownName, "Did you mean 'isolation-forest'"),
        (lambda: socml.Review([1.0, float("nan")]), DataError, "no finite numbers"),
        (lambda: socml.Review(["a", "b"]), DataError, "one number a row"),
        (lambda: socml.Review([1.0, 2.0], truth="wrong"), DataError, "Scores have no columns"),
        (lambda: socml.Review([1.0, 2.0], truth=[-1, 1]), DataError, "The truth holds -1, 1: write 1 or True"),
        (lambda: socml.Review([1.0, 2.0], truth=[1]), DataError, "1 values for 2 rows"),
        (lambda: socml.Review([1.0, 2.0], truth=pd.Series([1], index=["z"])), DataError, "nothing about any row"),
        (lambda: socml.Review([1.0, 2.0], truth=pd.Series([1, 0], index=[0, 0])), DataError, "names a row twice"),
        (lambda: socml.Review([[1.0, 2.0], [3.0]]), ModelError, "as many values as there are columns"),
        (lambda: socml.Review(pd.Series([1.0, 2.0], index=["a", "a"])), DataError, "a row twice"),
        (lambda: socml.Review(people(), detector="robust-z").answer(), DataError, "no truth"),
        (lambda: socml.Review(people(), detector="robust-z").label(9999, "benign"), DataError, "no row '9999'"),
        (lambda: socml.Review(people(), detector="robust-z").label(1, "bening"), UnknownName, "Did you mean 'benign'"),
    ],
)
def test_what_cannot_be_reviewed_is_said_in_a_sentence(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_asking_in_the_cell_labels_takes_back_and_ends(review, monkeypatch):
    keys = iter(["m", "z", "b", "x", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(keys))
    review.ask(5)
    assert review.labels()["verdict"].tolist() == ["benign"]


def test_the_same_class_reviews_a_stored_run(fitted):
    data = fitted["data"]
    run = score_run(fitted["forest"], data.path, project=data.project)
    with socml.Review(run["run_id"], project=data.project) as review:
        first = review.queue(1)["row_id"].iloc[0]
        assert review.explain(first).attrs["headline"]
        review.label(first, "malicious")
        assert first not in set(review.queue(100)["row_id"])
        review.undo()
    with pytest.raises(DataError, match="has its detector already"):
        socml.Review(run["run_id"], project=data.project, n_estimators=5)


def test_what_a_colleague_says_of_a_stored_run_meanwhile_is_taken_in(fitted):
    data = fitted["data"]
    run = score_run(fitted["forest"], data.path, project=data.project)
    with (
        socml.Review(run["run_id"], project=data.project, by="dana") as review,
        Triage(run["run_id"], project=data.project, by="ana") as app,
    ):
        first, second = review.queue(2)["row_id"]
        app.label(first, "malicious")
        assert first not in set(review.queue(100)["row_id"])
        app.label(second, "benign")
        assert review.ranking().equals(app.ranking())
        assert dict(review.labels()["verdict"]) == dict(app.labels()["verdict"])
        for _ in range(2):
            app.undo()


def test_the_rows_that_were_labelled_rank_later_as_they_do_now():
    table = people()
    review = socml.Review(table, detector="ensemble")
    for row in review.queue(6)["row_id"]:
        review.label(row, "benign" if len(review.labels()) % 3 else "malicious")
    assert np.array_equal(review.rank(table).to_numpy(), review.ranking().to_numpy())
    alone = review.rank(table.iloc[40:60])  # and a row's place does not hang on the rows that came with it
    assert np.allclose(alone.to_numpy(), review.rank(table).to_numpy()[40:60])


@pytest.mark.parametrize(
    "truth", [["benign", "attack", None, "benign"], np.array([0.0, 1.0, np.nan, 0.0]), [False, True, None, False]]
)
@pytest.mark.parametrize("kind", ["scores", "table"])
def test_the_truth_answers_what_it_says_in_whatever_words(kind, truth):
    data = pd.Series([1.0, 5.0, 9.0, 2.0], index=["a", "b", "c", "d"])
    with socml.Review(data if kind == "scores" else data.to_frame("x"), detector="robust-z", truth=truth) as review:
        told = review.answer(4).set_index("row_id")["verdict"]
    assert told.to_dict() == {"a": "benign", "b": "malicious", "c": "unsure", "d": "benign"}


def test_a_review_begins_with_the_labels_that_another_has_saved(tmp_path):
    table = people().drop(columns="wrong")
    with socml.Review(table, detector="robust-z", labels={3: "benign", 25: "malicious"}) as first:
        saved = pd.read_parquet(first.save(tmp_path / "kept") / "labels.parquet")
        for labels in (saved, saved["verdict"]):
            with socml.Review(table, detector="robust-z", labels=labels) as second:
                assert second.ranking().equals(first.ranking())


def test_rows_of_one_score_have_one_percentile():
    with socml.Review([1.0, 5.0, 5.0, 0.0]) as review:
        assert review.triage.scores["percentile"].tolist() == [25.0, 50.0, 50.0, 0.0]


def test_what_a_review_was_told_teaches_a_model_and_parts_a_map_of_the_table_by_its_own_names(tmp_path):
    table = people().drop(columns="wrong")  # numbers name its rows; labels and scores name them by texts
    given = {**dict.fromkeys(range(40, 60), "benign"), **dict.fromkeys(range(20, 40), "malicious")}
    with socml.Review(table, detector="robust-z", labels=given) as review:
        labels = review.labels()
    assert project_rows(table, method="lda", labels=labels["verdict"]).axes[0][0] == "pulse"
    training = {"labels": "analysts", "families": False}
    recipe = ModelRecipe(name="own", mode="supervised", detector="random-forest", features="mine", training=training)
    version = socml.fit(recipe, table, labels=labels, project=Project(root=tmp_path, workspace=tmp_path / "workspace"))
    scores = socml.anomaly_scores(version, table)
    assert evaluate(scores, people()["wrong"])["average_precision"] > 0.9


def test_the_column_that_knows_the_truth_may_be_a_number():
    table = people().drop(columns="group").set_axis(range(5), axis=1)
    with socml.Review(table, detector="robust-z", truth=4) as review:
        assert len(review.answer(2)) == 2
        assert "4" not in review.explain(25)["What"].tolist()


ANSWERS = [
    (lambda odd: "malicious" if odd else "benign", "benign"),
    (lambda odd: " Malicious" if odd else "FALSE_ALARM", "benign"),
    (lambda odd: "1" if odd else "0.0", "benign"),
    (lambda odd: True if odd else "benign", "benign"),
    (lambda odd: 1 if odd else None, "unsure"),
    (lambda odd: "attack" if odd else "unsure", "unsure"),
]


@pytest.mark.parametrize(("said", "usual"), ANSWERS)
def test_the_truth_may_be_said_in_words_numbers_and_gaps(said, usual):
    table = people()
    column = pd.Series([said(odd) for odd in table["wrong"]], dtype=object)
    with socml.Review(table.drop(columns="wrong"), detector="robust-z", truth=column) as opened:
        answers = opened.answer(25)
    expected = ["malicious" if 20 <= int(row) < 40 else usual for row in answers["row_id"]]
    assert answers["verdict"].tolist() == expected
    assert set(expected) == {"malicious", usual}


def test_the_truth_may_be_a_dictionary_by_row():
    known = {5: False, 30: True}
    with socml.Review(people().drop(columns="wrong"), detector="robust-z", truth=known) as opened:
        answers = opened.answer(40).set_index("row_id")["verdict"]
    assert (answers["5"], answers["30"], answers["31"]) == ("benign", "malicious", "unsure")


@pytest.mark.parametrize(
    ("truth", "match"),
    [
        (people()[["wrong"]], "The truth is a table"),
        (people()[["wrong"]].to_numpy(), "The truth is a table"),
        (pd.Series([[1]] * 600), "The truth holds lists"),
        ([None] * 600, "every value is missing"),
    ],
)
def test_a_truth_that_is_none_is_told(truth, match):
    with pytest.raises(DataError, match=match):
        socml.Review(people().drop(columns="wrong"), detector="robust-z", truth=truth)


def test_a_row_of_two_names_is_found_however_pandas_spells_it():
    table = people().drop(columns="wrong").iloc[:50]
    table.index = pd.MultiIndex.from_arrays([list(range(50)), ["x"] * 50])
    truth = pd.Series([False] * 49 + [True], index=list(table.index))
    with socml.Review(table, detector="robust-z", truth=truth) as opened:
        opened.label(table.index[3], "benign")  # a tuple with a number of numpy
        opened.label((4, "x"), "malicious")
        assert opened.labels()["verdict"].to_dict() == {"(3, 'x')": "benign", "(4, 'x')": "malicious"}
        assert opened.explain(table["age"].idxmax()).attrs["headline"]


def test_missing_labels_say_nothing_and_other_shapes_are_told(review):
    review.label_many(pd.Series(["malicious", None, np.nan], index=[21, 22, 23]))
    assert review.labels()["verdict"].to_dict() == {"21": "malicious"}
    for given in (["malicious"] * 600, pd.DataFrame({"said": ["benign"]})):
        with pytest.raises(DataError, match="Labels are row → verdict"):
            review.label_many(given)


def test_a_review_is_not_copied_and_says_when_it_was_closed():
    opened = socml.Review(people(), detector="robust-z", truth="wrong")
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"hand on its labels, Review\(table, labels=review.labels\(\)\)"):
            copied(opened)
    opened.close()
    opened.close()
    assert repr(opened) == opened._repr_html_() == "A review that was closed"
    for ask in (opened.queue, opened.ranking, lambda: opened.label(3, "benign")):
        with pytest.raises(DataError, match="This review was closed"):
            ask()


@pytest.mark.parametrize("n", [2.5, "5", -1])
def test_a_queue_of_no_number_of_rows_is_told(review, n):
    with pytest.raises(ConfigurationError, match="it is a number of rows, 0 or more"):
        review.queue(n)


def test_later_rows_may_be_an_array_in_the_order_of_the_table():
    table = people()[["age", "height", "pulse"]]
    with socml.Review(table, detector="robust-z", labels={5: "benign"}) as opened:
        assert opened.rank(table.to_numpy()).tolist() == opened.rank(table).tolist()


def test_a_table_of_labels_is_of_the_rows_that_its_column_names(review):
    labels = pd.DataFrame({"row_id": [4, 7], "verdict": ["benign", "malicious"]})
    review.label_many(labels)
    assert review.labels()["verdict"].to_dict() == {"4": "benign", "7": "malicious"}
    with socml.Review(people(), detector="robust-z", truth="wrong", labels=review.labels().reset_index()) as another:
        assert another.labels()["verdict"].to_dict() == {"4": "benign", "7": "malicious"}


@pytest.mark.parametrize(
    "given",
    [
        pd.Series(["malicious", "benign"], index=[5, 5]),
        pd.DataFrame({"row_id": ["5", "5"], "verdict": ["malicious", "benign"]}),
        {5: "malicious", "5": "benign"},
    ],
)
def test_a_row_that_is_given_two_verdicts_is_told_and_nothing_is_labelled(review, given):
    with pytest.raises(DataError, match="has two verdicts, malicious and benign"):
        review.label_many(given)
    assert review.labels().empty
    review.label_many(pd.Series(["malicious", "malicious"], index=[5, 5]))
    assert review.labels()["verdict"].to_dict() == {"5": "malicious"}
