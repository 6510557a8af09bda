"""Detectors named by import path: River online, scikit-learn and PyOD in batch, classifiers; ours within River."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from river import evaluate, metrics, preprocessing

import socml
from socml.detectors import read_state, river_stream, write_state
from socml.explanations import explain_online
from socml.models import dump_model, load_trusted
from socml.models.online_model import load_online, make_online
from socml.models.online_run import score_online
from socml.models.scoring import load_scores
from socml.project import (
    DataError,
    ModelError,
    ModelRecipe,
    Notice,
    Project,
    RecipeError,
    UnknownName,
    component_names,
    read_project,
    write_table,
)

LOF = {"detector": "river.anomaly.LocalOutlierFactor", "parameters": {"n_neighbors": 3}}
STREAM = 'mode = "online"\ndetector = "river.anomaly.HalfSpaceTrees"\nsteps = ["river.preprocessing.MinMaxScaler"]\n'
STREAM += 'features = "built"\n[parameters]\nwindow_size = 50\nn_trees = 5\n'


def rows(n: int = 300) -> pd.DataFrame:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(n, 3)), columns=["a", "b", "c"])
    table.iloc[n // 2] = 9.0
    return table


def stream() -> np.ndarray:
    block = np.random.default_rng(0).normal(size=(300, 3))
    block[np.random.default_rng(1).random(block.shape) < 0.02] = np.nan
    return block


@pytest.mark.parametrize(
    ("path", "parameters", "steps"),
    [
        ("river.anomaly.LocalOutlierFactor", {"n_neighbors": 3}, []),
        ("river.anomaly.HalfSpaceTrees", {"window_size": 30, "n_trees": 5}, ["river.preprocessing.MinMaxScaler"]),
        ("river.anomaly.OneClassSVM", {}, [{"path": "river.preprocessing.StandardScaler", "with_std": True}]),
        ("river.anomaly.LODA", {}, []),
        ("river.anomaly.GaussianScorer", {"grace_period": 20}, []),
        ("river.anomaly.StandardAbsoluteDeviation", {}, []),
        ("river.anomaly.PredictiveAnomalyDetection", {}, ["river.preprocessing.StandardScaler"]),
    ],
)
def test_a_river_model_goes_on_from_its_state_bit_for_bit(path, parameters, steps, tmp_path):
    block = stream()
    first, second = (river_stream(path, parameters, steps=steps, seed=1) for _ in range(2))
    singly = [first.score_learn_many(block[i : i + 1])[0] for i in range(150)]
    other = river_stream(path, parameters, steps=steps, seed=1)
    assert np.array_equal(other.score_learn_many(block[:150]), singly)
    second.restore(read_state(write_state(tmp_path / "s.npz", first.state())))
    assert np.array_equal(second.score_learn_many(block[150:]), first.score_learn_many(block[150:]))
    assert np.isfinite(singly).all()


def test_a_river_score_is_rivers_own_turned():
    from river.anomaly import LocalOutlierFactor

    model, ours = LocalOutlierFactor(n_neighbors=3), river_stream(LOF["detector"], LOF["parameters"])
    block = np.random.default_rng(0).normal(size=(60, 2))
    for row in block:
        x = {"x0": float(row[0]), "x1": float(row[1])}
        assert ours.score_one(row) == -model.score_one(x)
        model.learn_one(x)
        ours.learn_one(row)


@pytest.mark.parametrize(
    ("detector", "more", "error", "said"),
    [
        (
            "river.linear_model.LinearRegression",
            {},
            RecipeError,
            "no anomaly detector of River that scores a row by itself",
        ),
        ("river.anomaly.HalfSpaceTree", {}, UnknownName, "Did you mean 'HalfSpaceTrees'"),
        ("river.anomaly.HalfSpaceTrees", {"parameters": {"window": 3}}, RecipeError, "Did you mean 'window_size'"),
        ("river.anomaly.HalfSpaceTrees", {"steps": ["os.path"]}, RecipeError, "'os.path' is not of river"),
        ("river.anomaly.HalfSpaceTrees", {"steps": [{"with_std": True}]}, RecipeError, "has one: path"),
        ("os.system", {}, RecipeError, "is not of river, sklearn, pyod or socml"),
        ("subprocess.Popen", {}, RecipeError, "is not of river, sklearn, pyod or socml"),
    ],
)
def test_an_online_recipe_that_names_no_river_detector_says_why(detector, more, error, said):
    recipe = ModelRecipe(mode="online", detector=detector, features="built", **more)
    with pytest.raises(error, match=said):
        make_online(recipe, ["a"])


@pytest.mark.parametrize(
    "named", ["os.system", "builtins.eval", "subprocess.Popen", "numpy.load", "river.stats.base.abc.ABC"]
)
def test_a_state_that_names_anything_else_is_refused(named, tmp_path):
    good = river_stream(LOF["detector"], LOF["parameters"])
    good.learn_one(np.zeros(2))
    state = good.state()
    for forged in (["call", named, ["tuple", ["echo hacked"]], None, [], []], ["named", named]):
        if named == "numpy.load" and forged[0] == "named":
            continue  # a function of numpy may be a part of a model; it is not called with what the file says
        state["model"]["root"] = forged
        with pytest.raises(ModelError):
            good.restore(read_state(write_state(tmp_path / "s.npz", state)))


@pytest.fixture
def lab(tmp_path) -> Project:
    (tmp_path / "socml.toml").write_text("")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "stream.toml").write_text(STREAM)
    return read_project(tmp_path)


def test_a_river_recipe_is_scored_resumed_and_explained(lab):
    table = rows(400)
    table["proto"] = np.where(np.arange(400) % 3, "tcp", "udp")
    keys = {
        "row_id": [f"r{i}" for i in range(400)],
        "time": pd.date_range("2026-03-02", periods=400, freq="s", tz="UTC").as_unit("us"),
        "entity": "host",
    }
    names = list(table.columns)
    about = {
        "feature_set": "built",
        "recipe_hash": "0" * 16,
        "events_snapshot": "1" * 16,
        "dataset": "d",
        "features": names,
    }
    built = table.assign(**keys)
    paths = []
    for name, part in (("one", built[:250]), ("two", built[250:])):
        path = lab.workspace / "features" / "d" / f"{name}.parquet"
        paths.append(write_table(path, pa.Table.from_pandas(part, preserve_index=False), about))
    first = score_online("stream", paths[0], project=lab)
    second = score_online("stream", paths[1], project=lab, start="latest")
    whole = make_online("stream", names, project=lab)
    normality, _ = whole.score_learn_many(built)
    scores = pd.concat([load_scores(run["run_id"], project=lab) for run in (first, second)])
    assert np.array_equal(scores["anomaly_score"], -normality)
    again = load_online(lab.workspace / "online" / "stream.npz", "stream", project=lab)
    assert again.detector.rows == 400
    (lab.workspace / "features" / "d" / "built.parquet").write_bytes(paths[0].read_bytes())
    told = explain_online(first["run_id"], ["r200"], project=lab)
    assert set(told["feature"]) == set(names)


@pytest.mark.parametrize(
    "path",
    ["sklearn.neighbors.LocalOutlierFactor", "sklearn.svm.OneClassSVM", "sklearn.mixture.GaussianMixture",
     "sklearn.covariance.EllipticEnvelope", "pyod.models.knn.KNN", "pyod.models.pca.PCA"],
)  # fmt: skip
def test_an_outlier_detector_of_another_library_scores_is_saved_and_explained(path, tmp_path):
    import skops.io

    table = rows()
    with socml.Review(table, detector=path) as review:
        assert review.queue(1)["row_id"].iloc[0] == "150"
        assert not review.explain(150).empty
        review.save(tmp_path)
        again = socml.models.load_trusted(tmp_path / "detector.skops")
        assert np.array_equal(again.anomaly_score(table), review.triage.scores["anomaly_score"])
    assert skops.io.get_untrusted_types(file=tmp_path / "detector.skops")


def test_a_detector_whose_scores_depend_on_each_other_is_told_of():
    with pytest.warns(Notice, match="scores a row by the rows that are scored with it"):
        socml.make_detector("pyod.models.ecod.ECOD").fit(rows())


@pytest.mark.parametrize("path", ["loda.LODA", "sampling.Sampling", "kpca.KPCA"])
def test_a_weak_detector_and_one_that_learns_its_outliers_by_heart_are_no_turned_ones(path):
    table = rows()
    scores = socml.make_detector(f"pyod.models.{path}").fit(table[:140]).score_samples(table)
    assert scores[150] < np.median(scores)


def test_a_detector_that_misses_the_planted_outlier_is_refused(monkeypatch):
    from sklearn.ensemble import IsolationForest

    monkeypatch.setattr(IsolationForest, "score_samples", lambda self, X: np.abs(np.asarray(X)).max(axis=1))
    with pytest.raises(ModelError, match="planted outlier more normal than usual rows"):
        socml.make_detector("sklearn.ensemble.IsolationForest").fit(rows())


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("sklearn.svm.OneClasSVM", UnknownName, "Did you mean 'OneClassSVM'"),
        ("sklearn.svmm.OneClassSVM", UnknownName, "no module called 'sklearn.svmm'"),
        ("sklearn.utils.fixes.subprocess.Popen", UnknownName, "no module"),
        ("sklearn.preprocessing.StandardScaler", RecipeError, "scores nothing"),
        ("river.anomaly.HalfSpaceTrees", RecipeError, 'mode = "online"'),
        ("sklearn.svm.SVC", RecipeError, 'mode = "supervised"'),
        ("sklearn.datasets.load_iris", RecipeError, "no estimator"),
        ("socml.project.registry.component", RecipeError, "no estimator"),
        ("half-space-trees", RecipeError, "socml.DictDetector"),
    ],
)
def test_a_path_that_is_no_detector_says_so(path, error, said):
    with pytest.raises(error, match=said):
        socml.make_detector(path)


class NoPyod:
    """An import finder to which there is no PyOD."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pyod":
            raise ModuleNotFoundError("No module named 'pyod'", name="pyod")


def test_without_pyod_a_sentence_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyod"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NoPyod(), *sys.meta_path])
    with pytest.raises(ModelError, match="PyOD is not installed here.*pip install pyod"):
        socml.make_detector("pyod.models.knn.KNN")


@pytest.mark.parametrize(
    ("path", "steps"),
    [("sklearn.svm.SVC", ["sklearn.preprocessing.StandardScaler"]), ("sklearn.tree.DecisionTreeClassifier", []),
     ("sklearn.naive_bayes.GaussianNB", []), ("sklearn.gaussian_process.GaussianProcessClassifier", []),
     ("sklearn.neural_network.MLPClassifier", []), ("sklearn.calibration.CalibratedClassifierCV", [])],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_any_classifier_of_scikit_learn_learns_from_labels_and_is_kept(path, steps, tmp_path):
    table = rows()
    malicious = pd.Series(np.arange(300) % 5 == 0)
    table.loc[malicious, "a"] += 4.0
    recipe = ModelRecipe(mode="supervised", detector=path, steps=steps, features="mine")
    detector = socml.make_detector(recipe).fit(table, malicious.astype(int))
    scores = detector.anomaly_score(table)
    assert scores[malicious].mean() > scores[~malicious].mean() + 0.3
    dump_model(detector, tmp_path / "detector.skops")
    assert np.array_equal(load_trusted(tmp_path / "detector.skops").anomaly_score(table), scores)


def test_what_has_yet_to_be_given_an_estimator_or_holds_what_no_file_keeps_says_so(tmp_path):
    path = "sklearn.semi_supervised.SelfTrainingClassifier"
    with pytest.raises(RecipeError, match="is no classifier with predict_proba"):
        socml.make_detector(ModelRecipe(mode="supervised", detector=path, features="mine"))
    with pytest.raises(RecipeError, match="has neither score_samples nor decision_function"):
        socml.make_detector(path)
    with (
        socml.Review(rows(), detector="pyod.models.lmdd.LMDD") as review,
        pytest.raises(ModelError, match="cannot be kept in a file"),
    ):
        review.save(tmp_path / "kept")


def test_a_row_that_no_labelled_row_reaches_is_as_likely_as_not_and_no_warning():
    table = rows()
    recipe = ModelRecipe(mode="supervised", detector="sklearn.semi_supervised.LabelPropagation", features="mine")
    detector = socml.make_detector(recipe).fit(table, (np.arange(300) % 5 == 0).astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(detector.score_samples(table * 1e6)).all()


@pytest.mark.parametrize("name", component_names("online"))
def test_our_online_detectors_work_in_river(name):
    rng = np.random.default_rng(0)
    data = [({"bytes": float(x), "ports": float(y)}, False) for x, y in rng.normal(size=(1_300, 2))]
    data[1_250] = (data[1_250][0], True)
    small = {"window": 200} if name == "half-space-trees" else {}
    ours = socml.DictDetector(name, small)
    copy = ours.clone()
    assert (copy.detector, copy.detector_.rows) == (name, 0)
    model = preprocessing.StandardScaler() | ours
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = evaluate.progressive_val_score(data, model, metrics.ROCAUC())
    assert 0 <= found.get() <= 1
    usual = model.score_one({"bytes": 0.1, "ports": -0.1})
    assert max(model.score_one({"bytes": far, "ports": far}) for far in (-30.0, 30.0)) > usual
    block = np.array([[x["bytes"], x["ports"]] for x, _ in data[:100]])
    for x, _ in data[:100]:
        copy.learn_one(x)
    beside = socml.DictDetector(name, small)
    beside.detector_.score_learn_many(block)
    probe = {"ports": 1.0, "bytes": 2.0, "unknown": 3.0}
    assert copy.score_one(probe) == -beside.detector_.score_one(np.array([2.0, 1.0]))


def test_a_dictionary_of_texts_says_what_to_put_before():
    model = socml.DictDetector("gaussian")
    with pytest.raises(DataError, match="'proto' is 'tcp', not a number: put a River transformer before"):
        model.learn_one({"proto": "tcp", "bytes": np.float32(1.0)})


def test_numbers_that_no_float_holds_are_far_out_and_no_error():
    model = socml.DictDetector("gaussian", {"grace": 10})
    for i in range(100):
        model.learn_one({"bytes": i % 7})
    assert model.score_one({"bytes": 10**400}) == model.score_one({"bytes": float("inf")}) > 100
    assert model.score_one({"bytes": -(10**400)}) == model.score_one({"bytes": float("-inf")}) > 100


@pytest.mark.parametrize("name", component_names("online"))
def test_a_first_dictionary_of_nothing_teaches_nothing(name):
    empty, plain = socml.DictDetector(name), socml.DictDetector(name)
    empty.learn_one({})
    for model in (empty, plain):
        for i in range(50):
            model.learn_one({"bytes": float(i % 7)})
    assert empty.score_one({"bytes": 90.0}) == plain.score_one({"bytes": 90.0})


def test_a_parameter_that_an_online_detector_does_not_have_is_named():
    with pytest.raises(RecipeError, match="unknown parameter 'grce': gaussian does not have it. Did you mean 'grace'"):
        socml.DictDetector("gaussian", {"grce": 10})


def test_a_missing_value_of_pandas_is_missing_in_a_dictionary_too():
    one, other = socml.DictDetector("loda"), socml.DictDetector("loda")
    for i in range(40):
        for model, gap in ((one, None), (other, pd.NA)):
            model.learn_one({"a": gap if i % 5 == 0 else float(i % 7), "b": 1.0})
    assert one.score_one({"a": None, "b": 1.0}) == other.score_one({"a": pd.NA, "b": 1.0})


def test_identifiers_beyond_float64_are_told_apart_within_river():
    model = socml.DictDetector("gaussian", {"grace": 10})
    for i in range(200):
        model.learn_one({"id": 2**60 + i % 5, "seen": pd.NaT})
    assert model.score_one({"id": 2**60 + 60}) > model.score_one({"id": 2**60 + 2}) + 10


@pytest.mark.parametrize(
    ("name", "parameters", "match"),
    [
        ("half-space-trees", {"n_trees": 0}, "n_trees of half-space-trees is 0; it must be a whole number, above 0"),
        ("half-space-trees", {"height": "many"}, "height of half-space-trees is 'many'; it must be a whole number"),
        ("half-space-trees", {"limit": 0}, "limit of half-space-trees is 0; it must be a number, above 0"),
        ("half-space-trees", {"backend": 1}, "backend of half-space-trees is 1; it must be a text"),
        ("half-space-trees", {"window": -1}, "it must be a whole number, 0 or more"),
        ("loda", {"n_bins": 2.5}, "n_bins of loda is 2.5; it must be a whole number"),
        ("loda", {"n_cuts": 0}, "n_cuts of loda is 0"),
        ("gaussian", {"prior": -1.0}, "prior of gaussian is -1.0; it must be a number, 0 or more"),
        ("gaussian", {"grace": None}, "grace of gaussian is None"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_told_when_a_detector_is_made(name, parameters, match):
    with pytest.raises(RecipeError, match=match):
        socml.DictDetector(name, parameters)
    with pytest.raises(RecipeError, match=match):
        make_online(ModelRecipe(mode="online", detector=name, features="flow", parameters=parameters), ["a"])


def test_a_parameter_may_be_0_where_that_says_something():
    for name, parameters in (("half-space-trees", {"window": 0}), ("gaussian", {"prior": 0, "grace": 0.0})):
        assert socml.DictDetector(name, parameters).parameters == parameters
