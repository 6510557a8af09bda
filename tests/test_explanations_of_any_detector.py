"""Every detector is explained: exactly if it can be, else by drawn orders whose error is stated; and it is drawn."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from fitted import METADATA, planted_features

from socml.explanations.attribution import attributions
from socml.explanations.contributions import explain, explainer_of, feature_contributions, make_explainer
from socml.explanations.normal import nearest_normal
from socml.explanations.plots import Plot, figure, name_rows
from socml.explanations.shapley import shapley_values
from socml.models.fitting import make_detector
from socml.models.version import ModelVersion, make_reference
from socml.project.errors import DataError, ModelError, UnknownName
from socml.project.recipes import ModelRecipe
from socml.project.registry import component, component_names

MATRIX = [name for name in component_names("detectors") if name != "markov"]  # which reads sequences, not a matrix
FEATURES, ODD = planted_features()[0], 103


@pytest.fixture(scope="module")
def versions() -> dict[str, ModelVersion]:
    made = {}
    others = {"ensemble of the worst": ("ensemble", {"combine": "max"})}
    for name, (detector, parameters) in {**{name: (name, {}) for name in MATRIX}, **others}.items():
        recipe = ModelRecipe(detector=detector, features="source-5min", parameters=parameters)
        pipeline = make_detector(recipe, seed=0).fit(FEATURES)
        made[name] = ModelVersion(name, "1", pipeline, make_reference(pipeline.score_samples(FEATURES)))
    return made


def explained(version, rows, explainer):
    score = -version.pipeline.score_samples(rows)
    return np.log2(score) if explainer.unit == "log2 of the anomaly score" else score


@pytest.mark.parametrize("name", [*MATRIX, "ensemble of the worst"])
def test_pushes_and_base_add_up_to_the_score(versions, name):
    rows = FEATURES.iloc[95:115]
    explainer = explainer_of(versions[name])
    parts = feature_contributions(versions[name], rows, explainer)
    assert np.allclose(parts.sum(axis=1) + explainer.base, explained(versions[name], rows, explainer), atol=1e-9)
    assert parts.attrs["error"] == 0.0  # five features: every coalition is asked for


@pytest.mark.parametrize("name", [*MATRIX, "ensemble of the worst"])
def test_what_is_planted_pushes_toward_anomalous_and_comes_first(versions, name):
    table = explain(versions[name], FEATURES, [FEATURES.index[ODD]])
    pushing = table[table["contribution"] > 0]
    assert set(pushing["feature"].head(2)) <= {"destinations", "bytes_sent", "failed_share"}


@pytest.mark.parametrize("name", ["local-outlier", "one-class-svm", "ensemble of the worst"])
def test_a_row_is_told_the_same_whichever_rows_are_with_it(versions, name):
    explainer = explainer_of(versions[name], budget=8)
    matrix = versions[name].preparation.transform(FEATURES.iloc[95:105])
    alone = np.concatenate([explainer.contributions(matrix[i : i + 1]) for i in range(len(matrix))])
    assert np.array_equal(explainer.contributions(matrix), alone)


def test_the_typical_row_has_nothing_to_explain(versions):
    explainer = explainer_of(versions["local-outlier"])
    assert not explainer.contributions(explainer._typical[None, :]).any()


def test_a_detector_that_is_explained_by_comparison_needs_a_typical_row():
    detector = component("detectors", "local-outlier")().fit(np.random.default_rng(0).normal(size=(50, 2)))
    with pytest.raises(ModelError, match="give the typical row"):
        make_explainer(detector)


def slow_shapley(worth, players):
    """By the definition: what each brings, over all orders."""
    told, orders = np.zeros(players), list(permutations(range(players)))
    for order in orders:
        who = np.zeros((1, players), dtype=bool)
        for player in order:
            before = worth(who)[0]
            who[0, player] = True
            told[player] += worth(who)[0] - before
    return told / len(orders)


def game(players, seed):
    """Pairs and triples that need each other, at random."""
    rng = np.random.default_rng(seed)
    groups = [(rng.permutation(players)[: rng.integers(1, 4)], rng.normal()) for _ in range(3 * players)]
    return lambda who: sum(worth * who[:, group].all(axis=1) for group, worth in groups)


@pytest.mark.parametrize("players", [1, 2, 5])
def test_few_players_are_told_by_the_definition(players):
    told, error = shapley_values(game(players, 1), players)
    assert np.allclose(told, slow_shapley(game(players, 1), players))
    assert not error.any()


def test_the_stated_error_holds():
    exact, _ = shapley_values(game(9, 2), 9)
    inside, sizes = [], []
    for seed in range(60):
        told, error = shapley_values(game(9, 2), 9, budget=200, seed=seed)
        assert told.sum() == pytest.approx(exact.sum())
        inside.append(np.abs(told - exact) <= 2 * error + 1e-12)
        sizes.append(error.max())
    assert np.mean(inside) > 0.88  # two standard errors of a dozen pairs cover about 93 %
    assert 0 < np.mean(sizes) < np.abs(exact).max()


def test_more_scores_make_the_error_smaller():
    small, large = (shapley_values(game(12, 3), 12, budget=budget)[1].mean() for budget in (200, 3200))
    assert large < 0.5 * small


def test_as_many_scores_as_the_budget_are_taken():
    asked = []

    def worth(who):
        asked.append(len(who))
        return who.sum(axis=1).astype(float)

    shapley_values(worth, 30, budget=1000)
    assert 900 < sum(asked) <= 1002
    assert len(asked) == 1


@pytest.fixture(scope="module")
def told(versions):
    return attributions(versions["isolation-forest"], FEATURES, most=300)


def test_importance_is_the_mean_size_of_the_pushes(told):
    importance = told.importance()
    assert importance.is_monotonic_decreasing
    assert importance["destinations"] == pytest.approx(told.contributions["destinations"].abs().mean())
    assert len(told.contributions) == 300
    assert "different destination addresses" in told._repr_html_()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_plots_have_words_and_the_unit_and_show_themselves(versions, language):
    rows = list(FEATURES.index[95:125])
    for name in ("isolation-forest", "local-outlier"):
        some = attributions(versions[name], FEATURES, row_ids=rows, language=language, budget=8)
        plots = [
            some.plot_importance(),
            some.plot_beeswarm(),
            some.plot_dependence("destinations"),
            some.plot_dependence("protocol"),
            some.plot_waterfall(FEATURES.index[ODD], top=3),
        ]
        for plot in plots:
            assert isinstance(plot, Plot)
            assert plot._repr_png_().startswith(b"\x89PNG")
            axes = plot.axes[0]
            text = " ".join(
                [axes.get_xlabel(), axes.get_ylabel(), *(label.get_text() for label in axes.get_yticklabels())]
            )
            assert some.unit in text
            assert "bytes_sent" not in text
            assert ("give or take" in text or "près" in text) == (name == "local-outlier")


def test_a_waterfall_ends_at_the_score(told, versions):
    some = attributions(versions["isolation-forest"], FEATURES, row_ids=[FEATURES.index[ODD]])
    axes = some.plot_waterfall(FEATURES.index[ODD], top=2).axes[0]
    score = -versions["isolation-forest"].pipeline.score_samples(FEATURES.iloc[[ODD]])[0]
    assert axes.lines[-1].get_xdata()[0] == pytest.approx(np.log2(score))
    assert len(axes.get_yticklabels()) == 2 + 1 + 2  # two, the others, base and score


def test_a_feature_or_row_that_is_not_there_is_named(told):
    with pytest.raises(UnknownName, match="destinations"):
        told.plot_dependence("destination")
    with pytest.raises(UnknownName):
        told.plot_waterfall("nobody")


def test_text_of_logs_is_no_formula_and_no_markup_in_a_plot(versions):
    table = FEATURES.rename(columns={"bytes_sent": "$x^{"})
    table.attrs["socml"] = {**METADATA, "features": [n.replace("bytes_sent", "$x^{") for n in METADATA["features"]]}
    pipeline = make_detector(ModelRecipe(detector="ecod", features="source-5min")).fit(table)
    some = attributions(ModelVersion("e", "1", pipeline, None), table, row_ids=list(table.index[98:106]))
    for plot in (some.plot_importance(), some.plot_waterfall(table.index[100]), some.plot_dependence("$x^{")):
        assert plot._repr_png_()


def test_the_nearest_normal_row_is_ordinary_and_differs_in_what_is_planted(versions):
    found = nearest_normal(versions["isolation-forest"], FEATURES, FEATURES.index[ODD])
    assert found.now > 99
    assert found.then < 95
    assert set(found.differs.index[:3]) == {"destinations", "bytes_sent", "failed_share"}
    assert found.differs["share"].sum() == pytest.approx(1.0)
    assert found.differs.loc["destinations", "there"] == FEATURES.loc[found.row_id, "destinations"]
    english, french = found.in_words("en"), found.in_words("fr")
    assert english.loc[english["What"] == "different destination addresses", "Here"].item() == "1,204"
    assert list(french.columns) == ["Quoi", "Ici", "Dans la ligne ordinaire la plus proche"]


def test_no_nearest_normal_row_is_an_error(versions):
    with pytest.raises(DataError, match="no row 'nobody'"):
        nearest_normal(versions["isolation-forest"], FEATURES, "nobody")
    with pytest.raises(DataError, match="No other row"):
        nearest_normal(versions["isolation-forest"], FEATURES.iloc[[ODD]], FEATURES.index[ODD])


def test_values_of_a_plot_stay_as_they_are(told):
    before = told.values.copy()
    told.plot_beeswarm()
    pd.testing.assert_frame_equal(told.values, before)


def test_the_title_of_a_plot_with_long_names_is_within_it():
    plot, axes = figure("From the base to this row's score", 2)
    name_rows(axes, ["share of connections that were refused or not answered by the others = 66.7 %", "bytes"])
    plot.canvas.draw()
    title = plot.findobj(lambda one: getattr(one, "get_text", str)() == "From the base to this row's score")[0]
    box = title.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= plot.bbox.width
