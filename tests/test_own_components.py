"""A file in the opened project, or a class in a notebook cell, is found like a shipped component, and errors say what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import socml
from socml.project import (
    ConfigurationError,
    ModelError,
    Notice,
    Project,
    UnknownName,
    component,
    component_names,
    find_project,
    new_component,
    open_components,
    read_project,
    unregister,
)

DETECTOR = """
import numpy as np
from sklearn.base import BaseEstimator

class FarOut(BaseEstimator):
    def fit(self, X, y=None):
        self.mean_ = np.asarray(X, dtype=float).mean(axis=0)
        return self
    def score_samples(self, X):
        return SIGN * np.abs(np.asarray(X, dtype=float) - self.mean_).max(axis=1)
"""


@pytest.fixture
def own(tmp_path):
    """An empty project that is the opened one, and none afterwards."""
    (tmp_path / "socml.toml").write_text("")
    yield read_project(tmp_path)
    open_components(None)


def put(project: Project, place: str, text: str) -> Path:
    path = project.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("SIGN", "-1"))
    return path


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"], index=[f"r{i}" for i in range(200)])
    frame.iloc[17] = 9.0
    return frame.rename_axis("row_id")


def test_a_detector_of_the_project_is_fitted_saved_and_loaded_like_a_shipped_one(own):
    put(own, "detectors/far_out.py", DETECTOR)
    put(own, "models/far.toml", 'detector = "far-out"\nfeatures = "mine"\n')
    assert "far-out" in component_names("detectors")
    version = socml.fit("far", table(), project=own)
    scores = socml.anomaly_scores(socml.models.load_model("far", project=own), table())
    assert scores["anomaly_score"].idxmax() == "r17"
    assert not socml.explain(version, table(), ["r17"]).empty


def test_a_components_file_is_found_in_its_own_project_only(own, tmp_path_factory):
    put(own, "detectors/far_out.py", DETECTOR)
    assert component("detectors", "far-out").__module__ == "socml_project.detectors.far_out"
    other = tmp_path_factory.mktemp("other")
    (other / "socml.toml").write_text("")
    find_project(other)
    with pytest.raises(UnknownName, match="no detector called 'far-out'"):
        component("detectors", "far-out")
    assert not [name for name in sys.modules if name.startswith("socml_project")]


def test_what_a_project_brings_is_said_once(own, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bringing")
    (folder / "socml.toml").write_text("")
    for place in ("detectors/far_out.py", "formats/network/mine.py", "detectors/Not-A-Name.py"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text("")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(3):
            find_project(folder)
            open_components(None)
    told = [str(w.message) for w in said if issubclass(w.category, Notice)]
    assert len(told) == 2
    assert "brings its own detectors/far_out.py, formats/network/mine.py." in told[0]
    assert "Not-A-Name.py is not looked at" in told[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Other:\n    pass\n", "must hold one class called FarOut .*it defines Other"),
        ('__all__ = ["Other"]\nclass Other:\n    pass\n', "must hold one class called FarOut .*__all__ has 'Other'"),
        ('__all__ = ["FarOut", "B"]\nclass FarOut:\n    pass\nB = 1\n', "__all__ has 'FarOut', 'B'"),
        ('__all__ = ["FarOut"]\n', "must hold one class called FarOut"),
        ("x = 1\n\nimport no_such_library\n", r"far_out.py:3: ModuleNotFoundError: No module named 'no_such_library'"),
        ("def broken(:\n", r"far_out.py:1: SyntaxError"),
        ("1 / 0\n", r"far_out.py:1: ZeroDivisionError"),
        ("raise SystemError('x')\n", r"far_out.py:1: SystemError: x"),
    ],
)
def test_a_file_that_is_not_what_its_name_promises_says_what_is_wrong(own, text, said):
    put(own, "detectors/far_out.py", text)
    with pytest.raises(ConfigurationError, match=said):
        component("detectors", "far-out")


def test_a_shipped_name_is_not_taken_silently(own):
    put(own, "detectors/robust_z.py", DETECTOR)
    with pytest.raises(ConfigurationError, match="has the name of a detector of socml's own. Rename the file"):
        component("detectors", "robust-z")


def test_a_changed_file_is_read_again(own):
    path = put(own, "strategies/mine.py", "def mine(): return 1\n")
    assert component("strategies", "mine")() == 1
    path.write_text("def mine(): return 2\n")  # the same length, within the same second
    assert component("strategies", "mine")() == 2
    assert not list(own.root.rglob("__pycache__"))


def test_a_file_may_use_another_beside_it(own):
    put(own, "detectors/_shared.py", "VALUE = 5\n")
    put(own, "detectors/far_out.py", "from ._shared import VALUE\nclass FarOut:\n    value = VALUE\n")
    assert component("detectors", "far-out").value == 5
    assert component_names("detectors").count("far-out") == 1


def test_code_of_another_user_is_not_run(own, monkeypatch):
    put(own, "detectors/far_out.py", DETECTOR)
    monkeypatch.setattr("os.getuid", lambda: 4242)
    monkeypatch.setattr("socml.project.own_components._owner", lambda path: 4343)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        component("detectors", "far-out")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
@pytest.mark.parametrize("is_link", [False, True])
def test_code_that_another_user_owns_or_led_to_is_not_run(own, is_link):
    path = put(own, "detectors/far_out.py", DETECTOR)
    if is_link:
        path.rename(own.root / "elsewhere.py")
        path.symlink_to(own.root / "elsewhere.py")
        component("detectors", "far-out")  # one's own link is as good as the file
        open_components(None)
        open_components(own.root)
    os.chown(path, 65534, 65534, follow_symlinks=False)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        component("detectors", "far-out")


def test_code_that_everybody_may_write_is_not_run(own):
    path = put(own, "detectors/far_out.py", DETECTOR)
    path.chmod(0o666)
    with pytest.raises(ConfigurationError, match="chmod o-w"):
        component("detectors", "far-out")
    path.chmod(0o664)
    assert component("detectors", "far-out").__name__ == "FarOut"


def test_nothing_else_of_a_project_can_be_imported(own):
    put(own, "secrets/x.py", "")
    put(own, "x.py", "")
    for name in ("socml_project.secrets.x", "socml_project.x"):
        with pytest.raises(ModuleNotFoundError):
            __import__(name)


def test_a_class_of_a_notebook_cell_is_registered_and_replaced():
    @socml.register
    class Middle:
        def fit(self, X, y=None):
            return self

        def score_samples(self, X):
            return [0.0] * len(X)

    first = Middle
    try:
        assert component("detectors", "middle") is first
        assert socml.register(type("Middle", (first,), {}), kind="detectors") is component("detectors", "middle")
        with pytest.raises(ConfigurationError, match="of socml's own"):
            socml.register(first, name="robust-z")
        with pytest.raises(ConfigurationError, match="of which kind"):
            socml.register(type("Odd", (), {}))
        with pytest.raises(ConfigurationError, match="Did you mean 'detectors'"):
            socml.register(first, kind="detector")
    finally:
        unregister("detectors", "middle")
    assert "middle" not in component_names("detectors")


def test_a_registered_strategy_builds_the_queue():
    @socml.register(name="last-first")
    def anything(candidates, labels, budget, *, rng):
        return pd.Series("because", index=candidates.index[::-1][:budget], name="reason", dtype="str")

    try:
        scores = pd.DataFrame({"anomaly_score": [3.0, 2.0, 1.0]}, index=pd.Index(list("abc"), name="row_id"))
        assert socml.build_queue(scores, strategy="last-first", budget=2)["row_id"].tolist() == ["c", "b"]
    finally:
        unregister("strategies", "last-first")


def test_a_version_of_a_cells_class_says_where_it_is_not_known(own, tmp_path):
    code = (Path(__file__).parent / "own_cell.txt").read_text().format(path=str(tmp_path / "model.skops"))
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(ModelError, match=r"__main__\.Middle, .*put its class into detectors/middle\.py"):
        socml.models.load_trusted(tmp_path / "model.skops")


def test_every_template_is_a_component_that_works(own):
    made = {kind: new_component(kind, f"my-{kind}", own) for kind in ("detector", "online", "strategy", "format")}
    assert [path.name for path in made.values()] == ["my_detector.py", "my_online.py", "my_strategy.py", "my_format.py"]
    for path in made.values():
        kind = path.parent.name
        found, checked = socml.jobs.check_component(path.stem.replace("_", "-"), project=own)
        assert found == kind
        assert checked
        assert [one.problem for one in checked if not one.ok] == []


def test_a_template_is_never_written_over_a_file_and_takes_proper_names_only(own):
    new_component("detector", "mine", own)
    for kind, name, said in [
        ("detector", "mine", "is there already"),
        ("detector", "My Own", "write small letters.*'my-own'"),
        ("detector", "robust-z", "is a detector of socml's own"),
        ("detecter", "x", "Did you mean 'detector'"),
        ("detector", "../x", "write small letters"),
    ]:
        with pytest.raises(ConfigurationError, match=said):
            new_component(kind, name, own)


def test_a_broken_detector_is_told_promise_by_promise(own):
    put(own, "detectors/far_out.py", DETECTOR.replace("SIGN", "1"))
    _, checked = socml.jobs.check_component("far-out", project=own)
    broken = {one.promise: one.problem for one in checked if not one.ok}
    assert any("give the score with a minus sign" in problem for problem in broken.values())
    assert any("Blind to" in problem for problem in broken.values())


def test_a_feature_set_without_window_start_says_so_and_an_entity_may_be_a_number(own):
    sql = (
        '-- about = "x"\n-- entity = "destination_port"\n-- window = "1 hour"\n-- blind_to = "x"\n-- [columns]\n'
        '-- n = "events"\nselect destination_port, window_start, cast(count(*) as double) as n from events\n'
        "where destination_port is not null group by all\n"
    )
    put(own, "features/by-port.sql", sql)
    put(own, "features/bad.sql", sql.replace("window_start, ", ""))
    assert [c.problem for c in socml.jobs.check_component("by-port", project=own)[1]] == [""] * 4
    told = [c.problem for c in socml.jobs.check_component("bad", project=own)[1]]
    assert any("does not give 'window_start'" in problem for problem in told)


SHIPPED = [
    ("detectors", "robust-z"),
    ("detectors", "isolation-forest"),
    ("detectors", "markov"),
    ("supervised", "logistic-regression"),
    *[(kind, name) for kind in ("online", "strategies") for name in component_names(kind)],
    ("explainers", "tree-shap"),
    ("formats", "clamd-log"),
    ("features", "source-5min"),
]


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_shipped_components_keep_the_promises_that_users_run(kind, name):
    _, checked = socml.check_component(name, kind=kind)
    assert [one.problem for one in checked if not one.ok] == []
    assert len(checked) >= 4


def test_the_queue_of_an_own_strategy_is_told_in_its_own_words():
    from socml.cli import review
    from socml.project import words

    assert review._reason_in_words("top-down", words("fr")) == "top-down"
    assert review._reason_in_words("random-audit", words("fr")) == words("fr")("queue.reason.random-audit")
