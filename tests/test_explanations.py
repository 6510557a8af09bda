from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fitted import HOSTILE, METADATA

from socml.explanations.contributions import explain, feature_contributions, make_explainer
from socml.explanations.normal import normal_in_words, what_would_be_normal, would_be_normal
from socml.explanations.of_run import explain_rows, explain_run, explanation_in_words, headlines
from socml.explanations.sentences import headline, why_table
from socml.explanations.usual import category_shares, group_entities, usual_categories, usual_numbers
from socml.explanations.values import number_in_words
from socml.models.scoring import anomaly_scores, score_run
from socml.project.errors import DataError, ModelError, UnknownName
from socml.project.registry import component, component_names
from socml.project.stored import write_table
from socml.project.tables import EXPLANATION, check_table
from socml.project.wording import words
from socml.project.workspace import run_folder

LANGUAGES = ("en", "fr")


@pytest.fixture(scope="session")
def run(fitted) -> dict:
    data = fitted["data"]
    return score_run(fitted["forest"], data.path, project=data.project, truth=data.truth)


def test_tree_shap_adds_up_to_log2_of_the_anomaly_score_on_a_thousand_random_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 12)).astype(np.float32)
    X[:, 3] = rng.integers(0, 3, 3000)
    forest = component("detectors", "isolation-forest")(n_estimators=50, random_state=0).fit(X)
    explainer = make_explainer(forest)
    rows = rng.normal(scale=2, size=(1000, 12)).astype(np.float32)
    told = explainer.contributions(rows).sum(axis=1) + explainer.base
    assert np.abs(told - np.log2(-forest.score_samples(rows))).max() < 1e-9


@pytest.mark.parametrize("name", ["forest", "baseline"])
def test_contributions_of_features_add_up_to_what_is_explained(fitted, name):
    data, version = fitted["data"], fitted[name]
    explainer = make_explainer(version.detector)
    parts = feature_contributions(version, data.features)
    score = anomaly_scores(version, data.features)["anomaly_score"]
    wanted = np.log2(score) if name == "forest" else score
    assert np.allclose(parts.sum(axis=1) + explainer.base, wanted, atol=1e-9)
    assert list(parts.columns) == [f for f in METADATA["features"] if f != "sensor"]


@pytest.mark.parametrize("name", component_names("explainers"))
def test_an_explainer_says_its_unit_and_what_it_is_blind_to(name):
    kind = component("explainers", name)
    assert kind.unit
    assert "Blind to" in kind.__doc__
    assert not kind.supports(object())


def test_a_value_pushed_outward_pushes_toward_anomalous(fitted):
    data, version = fitted["data"], fitted["forest"]
    row = data.features.iloc[[7]]
    odd = row.assign(destinations=2000.0)
    before, after = (feature_contributions(version, rows)["destinations"].iloc[0] for rows in (row, odd))
    assert after > 0
    assert after > before


def test_a_detector_that_nothing_explains_is_an_error():
    with pytest.raises(ModelError, match="No explainer supports object"):
        make_explainer(object())


def test_explanation_table_keeps_the_contract(fitted):
    data = fitted["data"]
    table = explain(fitted["forest"], data.features, list(data.features.index[98:108]))
    check_table(pa.Table.from_pandas(table, preserve_index=False), EXPLANATION, what="explanations")
    assert len(table) == 10 * 5


def test_positions_follow_contributions_and_shares_of_what_pushes_add_up_to_one(fitted):
    data = fitted["data"]
    table = explain(fitted["forest"], data.features, list(data.features.index[90:110]))
    for _, rows in table.groupby("row_id"):
        assert rows["contribution"].is_monotonic_decreasing
        assert rows["position"].tolist() == [1, 2, 3, 4, 5]
        pushing = rows[rows["contribution"] > 0]
        assert pushing["share"].sum() == pytest.approx(1.0 if len(pushing) else 0.0)
        assert not len(pushing) or (np.sign(rows["share"]) == np.sign(rows["contribution"])).all()


def test_planted_features_come_first(fitted):
    data = fitted["data"]
    table = explain(fitted["forest"], data.features, [data.features.index[103]])
    assert set(table["feature"].head(3)) == {"destinations", "bytes_sent", "failed_share"}


def test_the_same_from_the_file_as_from_the_table_in_memory(fitted):
    data = fitted["data"]
    row_ids = [data.features.index[i] for i in (700, 3, 105)]
    pd.testing.assert_frame_equal(
        explain(fitted["forest"], data.path, row_ids),
        explain(fitted["forest"], data.features, row_ids),
        check_dtype=False,
    )


def test_usual_ranges_equal_the_slow_obvious_computation(fitted):
    features = fitted["data"].features
    table = explain(fitted["forest"], features, [features.index[103]])
    row = table[table["feature"] == "destinations"].iloc[0]
    others = features[(features["entity"] == features["entity"].iloc[103]) & (np.arange(len(features)) != 103)]
    assert row["entity_low"] == pytest.approx(others["destinations"].quantile(0.1))
    assert row["entity_high"] == pytest.approx(others["destinations"].quantile(0.9))
    assert row["everyone_high"] == pytest.approx(features["destinations"].quantile(0.9))
    assert row["value_percentile"] == pytest.approx(100 * (features["destinations"] < 1204).mean())
    assert row["peers"] == (features.groupby("entity")["destinations"].max() >= 1204).mean()


def test_an_entity_with_few_other_rows_has_no_usual_range():
    entities = group_entities(pd.Series(["a", "a", "b", "b", "b", "b", "b", "b"]), 8)
    found = usual_numbers(np.arange(8.0), np.array([0, 2]), entities)
    assert np.isnan(found["entity_low"][0])
    assert found["entity_low"][1] == pytest.approx(np.quantile([3, 4, 5, 6, 7], 0.1))


def test_without_entities_every_row_is_its_own_peer():
    entities = group_entities(pd.Series([None, None, None, None]), 4)
    found = usual_numbers(np.array([1.0, 2.0, 3.0, 9.0]), np.array([3]), entities)
    assert found["peers"].tolist() == [0.25]
    assert np.isnan(found["entity_low"]).all()
    assert (
        usual_categories(pd.Series(["x", None]), category_shares(pd.Series(["x", "y", "x", None]), entities))["peers"][
            0
        ]
        == 0.5
    )


def test_a_row_that_is_not_there_is_named(fitted):
    with pytest.raises(DataError, match="no row 'nobody'"):
        explain(fitted["forest"], fitted["data"].features, ["nobody"])


def test_one_row_is_named_as_its_index_names_it(fitted):
    table = fitted["data"].features.set_axis(range(len(fitted["data"].features)), axis=0)
    assert set(explain(fitted["forest"], table, 3)["row_id"]) == {3}
    assert explain(fitted["forest"], table, np.int64(3)).equals(explain(fitted["forest"], table, [3]))


def test_top_rows_of_a_run_are_stored_and_others_on_demand(fitted, run):
    data = fitted["data"]
    path = run_folder(data.project, run["run_id"]) / "explanations.parquet"
    path.unlink(missing_ok=True)
    eager = explain_run(run["run_id"], top=20, project=data.project)
    assert eager["row_id"].nunique() == 20
    assert len(pq.read_table(path)) == 20 * 5
    before = path.read_bytes()
    explain_run(run["run_id"], top=20, project=data.project)
    assert path.read_bytes() == before
    other = data.features.index[500]
    told = explain_rows(run["run_id"], [other, eager["row_id"].iloc[0]], project=data.project)
    assert told["row_id"].unique().tolist() == [other, eager["row_id"].iloc[0]]
    assert len(pq.read_table(path)) == 21 * 5


def test_a_feature_table_that_was_built_again_and_differs_is_noticed(fitted, run):
    data = fitted["data"]
    table = pq.read_table(data.path)
    changed = table.set_column(table.column_names.index("bytes_sent"), "bytes_sent", pa.array(np.full(len(table), 5e8)))
    try:
        write_table(data.path, changed, METADATA)
        with pytest.raises(DataError, match="was built again since run"):
            explain_rows(run["run_id"], [data.features.index[611]], project=data.project)
    finally:
        write_table(data.path, table, METADATA)


def test_a_row_that_is_not_in_the_run_or_a_run_that_is_not_there_is_named(fitted, run):
    project = fitted["data"].project
    with pytest.raises(DataError, match="has no row 'nobody'"):
        explain_rows(run["run_id"], ["nobody"], project=project)
    with pytest.raises(UnknownName, match="scoring run"):
        explain_run("nothing", project=project)


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [(90.0, "f: 90 (usually at most 12)", "f : 90 (d’habitude au plus 12)"), (9.0, "f: 9", "f : 9")],
)
def test_where_only_the_most_is_known_at_most_is_said(value: float, english: str, french: str) -> None:
    row = {
        **dict.fromkeys(EXPLANATION),
        "position": 1,
        "feature": "f",
        "value": value,
        "contribution": 1.0,
        "share": 1.0,
    }
    rows = pd.DataFrame([{**row, "entity_high": 12.0}])
    about = {"columns": {"f": "f"}, "columns_fr": {"f": "f"}, "entity": ["source_ip"]}
    said = [headline(rows, features_metadata=about, language=language) for language in LANGUAGES]
    assert [text.replace("\u00a0", " ").lower().rstrip(".") for text in said] == [english, french]
    table = why_table(rows, features_metadata=about)
    assert "usually at most 12 for this host" in table.to_string()


@pytest.mark.parametrize("language", LANGUAGES)
def test_headlines_have_at_most_30_words_and_no_column_names(fitted, run, language):
    data = fitted["data"]
    said = headlines(run["run_id"], list(data.features.index[95:115]), project=data.project, language=language)
    assert len(said) == 20
    for sentence in said:
        assert 1 <= len(sentence.split()) <= 30
        assert not any(name in sentence for name in ("bytes_sent", "longest_s", "failed_share"))


def test_headline_says_value_and_usual_range_in_both_languages(fitted, run):
    data = fitted["data"]
    row_id = data.features.index[103]
    english, french = (headlines(run["run_id"], [row_id], project=data.project, language=lang)[0] for lang in LANGUAGES)
    assert "different destination addresses: 1,204 (usually " in english.lower()
    assert "bytes sent: 4.2\u00a0GB" in english
    assert "98\u00a0%" in english
    assert "adresses de destination différentes\u00a0: 1\u202f204 (d’habitude " in french.lower()
    assert "4,2\u00a0Go" in french


def test_a_long_description_does_not_make_a_long_headline():
    rows = pd.DataFrame(
        [
            {
                **dict.fromkeys(EXPLANATION),
                "position": i,
                "feature": f"f{i}",
                "value": 1.0,
                "contribution": 1.0,
                "share": 0.3,
            }
            for i in (1, 2, 3)
        ]
    )
    about = {"columns": {f"f{i}": " ".join(["word"] * 40) for i in (1, 2, 3)}}
    assert len(headline(rows, features_metadata=about).split()) <= 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_from_logs_is_inert_in_words_and_in_the_page(fitted, run, language):
    data = fitted["data"]
    told = explanation_in_words(run["run_id"], data.features.index[100], project=data.project, language=language)
    text = f"{told.headline} {told.why.to_string()} {told.would_be_normal}"
    assert HOSTILE in data.features["protocol"].to_list()
    assert "⟨U+202E⟩" in text
    assert "\u202e" not in text
    assert "<img" not in told._repr_html_()


def test_why_table_says_this_value_the_hosts_and_everyones_usual_and_the_standing(fitted, run):
    data = fitted["data"]
    rows = explain_rows(run["run_id"], [data.features.index[103]], project=data.project)
    english = why_table(rows, features_metadata=METADATA)
    line = english.set_index("What").loc["different destination addresses", "In words"]
    assert line.startswith("1,204; usually ")
    assert " for this host, " in line
    assert " for everyone; above 99.5\u00a0% of rows" in line
    french = why_table(rows, features_metadata=METADATA, language="fr")
    assert french.columns.tolist() == ["Quoi", "En clair", "Part"]
    assert "pour cette machine" in french["En clair"].iloc[0]


def test_a_value_that_stands_for_none_and_a_missing_one_are_said(fitted):
    data = fitted["data"]
    none = data.features.index[(data.features["longest_s"] == -1.0).to_numpy().argmax()]
    gone = data.features.index[data.features["failed_share"].isna().to_numpy().argmax()]
    rows = explain(fitted["forest"], data.features, [none, gone]).assign(contribution=1.0, share=0.2)
    said = {
        key: why_table(rows[rows["row_id"] == key], features_metadata=METADATA).set_index("What")
        for key in (none, gone)
    }
    assert said[none].loc["longest connection", "In words"].startswith("none")
    assert said[gone].loc["share of connections that failed", "In words"].startswith("missing")


def test_what_would_be_normal_is_the_smallest_set_and_really_brings_the_row_below_95(fitted, run):
    data, version = fitted["data"], fitted["forest"]
    row = data.features.iloc[[103]]
    explained = explain(version, data.features, [row.index[0]])
    found = what_would_be_normal(version, row, explained)
    assert found.now > 99
    assert found.then < 95
    typical = row.assign(**found.typical)
    assert anomaly_scores(version, typical)["percentile"].iloc[0] == pytest.approx(found.then)
    for name in found.features:  # one less does not suffice
        fewer = {key: value for key, value in found.typical.items() if key != name}
        assert anomaly_scores(version, row.assign(**fewer))["percentile"].iloc[0] >= 95
    for language in LANGUAGES:
        sentence = normal_in_words(found, features_metadata=METADATA, language=language)
        assert not any(name in sentence for name in ("bytes_sent", "failed_share"))


def test_an_ordinary_row_is_said_to_be_ordinary(fitted):
    data, version = fitted["data"], fitted["forest"]
    scores = anomaly_scores(version, data.features)
    row = data.features.loc[[scores["anomaly_score"].idxmin()]]
    found = what_would_be_normal(version, row, explain(version, data.features, list(row.index)))
    assert found.features == []
    assert "ordinary already" in normal_in_words(found, features_metadata=METADATA)


def test_many_rows_at_once_are_each_told_as_alone(fitted):
    data, version = fitted["data"], fitted["forest"]
    by_score = anomaly_scores(version, data.features)["anomaly_score"].sort_values()
    ids = [*by_score.index[-4:], by_score.index[0], *by_score.index[-9:-6]]
    explained = [explain(version, data.features, [row_id]) for row_id in ids]
    alone = [what_would_be_normal(version, data.features.loc[[i]], e) for i, e in zip(ids, explained, strict=True)]
    assert would_be_normal(version, data.features.loc[ids], explained) == alone
    assert len({tuple(one.features) for one in alone}) > 1


def test_a_run_that_outlived_its_model_still_tells_what_is_stored(tmp_path):
    from builders import make_project, make_run

    project = make_project(tmp_path)
    built = make_run(project)
    top = built.scores.sort_values("rank").index[0]
    told = explanation_in_words(built.run_id, top, project=project)
    assert "not here any more" in told.would_be_normal
    last = built.scores.sort_values("rank").index[-1]
    said = headlines(built.run_id, [top, last], project=project)
    assert said[0] == told.headline
    assert said[1] == "This row is not explained yet."


@pytest.mark.parametrize(
    ("value", "unit", "english", "french"),
    [
        (0.0, "bytes", "0 bytes", "0 octets"),
        (1500.0, "bytes", "1.5 kB", "1,5 ko"),
        (999_999.0, "bytes", "1 MB", "1 Mo"),
        (0.25, "seconds", "250 ms", "250 ms"),
        (0.0, "seconds", "0 s", "0 s"),
        (272.0, "seconds", "4 min 32 s", "4 min 32 s"),
        (200_000.0, "seconds", "2 d 7 h", "2 j 7 h"),
        (3600.0, "seconds", "1 h", "1 h"),
        (0.125, "share", "12.5 %", "12,5 %"),
        (1234567.0, "", "1,234,567", "1 234 567"),
        (3.14159, "", "3.14", "3,14"),
        (float("inf"), "bytes", "∞", "∞"),
    ],
)
def test_numbers_are_written_as_people_read_them(value, unit, english, french):
    for language, wanted in (("en", english), ("fr", french)):
        said = number_in_words(value, unit, words(language))
        assert said.replace("\u00a0", " ").replace("\u202f", " ") == wanted
