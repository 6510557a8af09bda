"""socml among scikit-learn, River and MLflow: each contract tried, sizes and CPU seconds → docs/results/results-ecosystem.

Run it with `make results-ecosystem`, or some parts with `python -m benchmarks.ecosystem sizes seconds`: the figures of the others stay. Sizes are of the packages that an extra brings, as they lie in this environment,
followed from `pyproject.toml`'s requirements.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pandas as pd
from packaging.requirements import Requirement

from benchmarks.results import Figure, measured_before, versions_of, write_results
from socml.project import ScratchFolder

ROOT = Path(__file__).resolve().parents[1]
WANTED_MB, WANTED_IMPORT_S, WANTED_FIT_S = 300.0, 1.0, 5.0
SEQUENCES = {"markov"}  # reads action sequences, and no table
ROWS = 400
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "aarch64-apple-darwin")


def main() -> None:
    """Try, measure, and write the table."""
    warnings.simplefilter("ignore")
    parts = {
        part.__name__: part for part in (estimators, pipelines, streams, pyfunc, threads, sizes, platforms, seconds)
    }
    wanted = sys.argv[1:] or list(parts)
    figures = [figure for name in wanted for figure in parts[name]()]
    measured = {figure.case for figure in figures}
    order = ["estimators", "scikit-learn", "River", "MLflow", "threads", "install", "wheels", "first result"]
    kept = [figure for figure in measured_before("results-ecosystem") if figure.case not in measured]
    figures = sorted([*figures, *kept], key=lambda figure: order.index(figure.case))
    write_results(
        "results-ecosystem",
        "Among scikit-learn, River and MLflow",
        "Each contract that a user of these libraries expects, tried on every detector; what an install weighs; what a first "
        "result costs.",
        figures,
        notes=[
            "Wheels: none is 0; what is installed there was not tried, there is no such machine here.",
            "n is how many were tried; a value below it is a missed contract. `markov` reads sequences and is no part.",
            f"Wanted: a headless install of at most {WANTED_MB:g} MB, an import of {WANTED_IMPORT_S:g} CPU s, a first fit of "
            f"{WANTED_FIT_S:g} (the peer's value is what was wanted).",
            "CPU seconds: user and system, of a fresh process with byte code cached, the least of three; `first fit` is "
            "`socml.fit` of 8,000 rows in a new project, imports and registry included.",
        ],
    )
    for figure in figures:
        print(f"{figure.case}, {figure.measure}: {figure.value:,.3g} {figure.unit}")


def detectors() -> list[str]:
    """Return the names of the detectors that read a table."""
    from socml.project import component_names

    return [name for name in component_names("detectors") if name not in SEQUENCES]


@cache
def table() -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table with one column of each kind, and which of its rows are odd."""
    rng = np.random.default_rng(0)
    odd = np.zeros(ROWS, dtype=np.int64)
    odd[:: ROWS // 20] = 1
    made = pd.DataFrame(rng.normal(size=(ROWS, 3)) + 5.0 * odd[:, None], columns=["bytes", "flows", "ports"])
    return made.assign(protocol=rng.choice(["tcp", "udp"], ROWS)), odd


def estimators() -> Iterator[Figure]:
    """Yield scikit-learn's own checks, passed by every detector."""
    from sklearn.utils.estimator_checks import check_estimator

    import socml

    passed, tried, whole = 0, 0, 0
    for name in detectors():
        found = check_estimator(socml.make_detector(name), on_fail=None)
        kept = sum(one["status"] in ("passed", "skipped") for one in found)
        passed, tried, whole = passed + kept, tried + len(found), whole + (kept == len(found))
    yield _counted("estimators", "detectors that pass every check of check_estimator", whole, len(detectors()))
    yield _counted("estimators", "checks passed", passed, tried)


def pipelines() -> Iterator[Figure]:
    """Yield what works inside scikit-learn's tools."""
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import socml

    X, y = table()
    numbers = X.select_dtypes("number")

    def in_pipeline(name: str) -> bool:
        scaled = StandardScaler().set_output(transform="pandas")
        return bool(
            np.isfinite(make_pipeline(scaled, socml.make_detector(name)).fit(numbers).score_samples(numbers)).all()
        )

    def in_grid(name: str) -> bool:
        grid = {"alert_share": [0.01, 0.05]}
        search = GridSearchCV(socml.make_detector(name), grid, scoring="average_precision", cv=2, error_score="raise")
        return bool(search.fit(X, y).best_score_ > y.mean())

    def crossed(name: str) -> bool:
        found = cross_val_score(socml.make_detector(name), X, y, cv=3, scoring="average_precision", error_score="raise")
        return bool(found.mean() > y.mean())

    def cloned(name: str) -> bool:
        first, second = (clone(socml.make_detector(name, seed=3)).fit(X).score_samples(X) for _ in range(2))
        return bool(np.array_equal(first, second))

    for measure, works in {
        "work in Pipeline after StandardScaler": in_pipeline,
        "work in GridSearchCV, better than a random order": in_grid,
        'work in cross_val_score(scoring="average_precision")': crossed,
        "clones give the same bytes with the same seed": cloned,
    }.items():
        yield _counted("scikit-learn", f"detectors that {measure}", _working(works, detectors()), len(detectors()))


def streams() -> Iterator[Figure]:
    """Yield what works inside River, and which of River's work in socml."""
    from river import compose, evaluate, metrics, preprocessing

    import socml
    from socml.project import component_names

    names = component_names("online")
    X, y = table()
    stream = list(zip(X.select_dtypes("number").to_dict("records"), y.astype(bool).tolist(), strict=True))

    def in_river(name: str) -> bool:
        model = compose.Pipeline(preprocessing.MinMaxScaler(), socml.DictDetector(name))
        evaluate.progressive_val_score(stream, model.clone(), metrics.ROCAUC())  # type: ignore[no-untyped-call]  # River gives its constructor no types
        return True

    yield _counted(
        "River",
        "online detectors that work in a Pipeline and progressive_val_score",
        _working(in_river, names),
        len(names),
    )
    theirs = ["HalfSpaceTrees", "LocalOutlierFactor", "LODA", "OneClassSVM"]
    theirs += ["GaussianScorer", "PredictiveAnomalyDetection", "StandardAbsoluteDeviation"]

    def by_path(name: str) -> bool:
        from socml.models import make_online
        from socml.project import ModelRecipe

        recipe = ModelRecipe(
            mode="online", detector=f"river.anomaly.{name}", features="mine", steps=["river.preprocessing.MinMaxScaler"]
        )
        return make_online(recipe, [str(name) for name in X.select_dtypes("number").columns]) is not None

    yield _counted(
        "River", "detectors of River that a recipe makes by import path", _working(by_path, theirs), len(theirs)
    )


def pyfunc() -> Iterator[Figure]:
    """Yield how many registered models MLflow's own tools load, with equal scores."""
    import mlflow

    import socml
    from socml.project import ModelRecipe, Project

    X, _ = table()
    names = detectors()
    with ScratchFolder("ecosystem") as folder:
        project = Project(root=Path(folder), workspace=Path(folder) / "workspace")
        versions = {n: socml.fit(ModelRecipe(name=n, detector=n, features="mine"), X, project=project) for n in names}
        mlflow.set_tracking_uri(f"sqlite:///{project.workspace}/mlflow/mlflow.db")

        def loads(name: str) -> bool:
            scores = mlflow.pyfunc.load_model(f"models:/{name}@champion").predict(X)["anomaly_score"]
            return bool(np.array_equal(scores, -versions[name].pipeline.score_samples(X)))

        yield _counted(
            "MLflow", "models that mlflow.pyfunc loads, scores equal to the bit", _working(loads, names), len(names)
        )
        mlflow.set_tracking_uri("")


def threads() -> Iterator[Figure]:
    """Yield how many detectors give the same bytes whatever the number of threads."""
    code = (
        "import sys, hashlib, numpy as np, socml;"
        "X = np.random.default_rng(0).normal(size=(3000, 6));"
        "[print(n, hashlib.sha256(socml.make_detector(n, seed=1).fit(X).score_samples(X).tobytes()).hexdigest())"
        " for n in sys.argv[1:]]"
    )
    results = []
    for count in ("1", "2", "4"):
        counted = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), count)
        done = _python(["-c", code, *detectors()], ROOT, counted)
        results.append(done.stdout.splitlines())
    same = sum(len(set(lines)) == 1 for lines in zip(*results, strict=True))
    yield _counted("threads", "detectors whose bytes are the same with 1, 2 and 4 threads", same, len(detectors()))


def sizes() -> Iterator[Figure]:
    """Yield what each extra weighs."""
    core = _needed("socml", frozenset())
    yield _figure("install", "socml, headless", _megabytes(core), "MB", wanted=WANTED_MB, n=len(core))
    for extra in ("app", "mlflow", "notebook", "online", "postgresql", "all"):
        more = _needed("socml", frozenset({extra})) - core
        yield _figure("install", f"socml[{extra}], besides", _megabytes(more), "MB", n=len(more))


def platforms() -> Iterator[Figure]:
    """Yield for how many packages of `socml[all]` each platform has a wheel on the index, by uv's own resolution."""
    uv = Path(sys.executable).with_name("uv")
    for platform in PLATFORMS:
        for python in ("3.11", "3.14"):
            command = [str(uv), "pip", "compile", "-q", "--only-binary", ":all:", "--no-annotate", "--no-header"]
            command += ["--no-emit-index-url", "--python-platform", platform, "--python-version", python]
            done = subprocess.run(
                [*command, "pyproject.toml", "--extra", "all"], cwd=ROOT, capture_output=True, text=True, check=False
            )
            found = sum("==" in line for line in done.stdout.splitlines()) if not done.returncode else 0
            yield _figure(
                "wheels", f"packages of socml[all] with wheels, {platform}, Python {python}", float(found), ""
            )


def seconds() -> Iterator[Figure]:
    """Yield the CPU seconds of the import and of a first fit."""
    yield _figure(
        "first result",
        "import socml; socml.fit",
        _least(["-c", "import socml; socml.fit"]),
        "CPU s",
        wanted=WANTED_IMPORT_S,
    )
    code = (
        "import sys, tempfile, numpy as np, pandas as pd, socml; from pathlib import Path;"
        "from socml.project import ModelRecipe, Project;"
        "root = Path(tempfile.mkdtemp());"
        "X = pd.DataFrame(np.random.default_rng(0).normal(size=(8000, 8))).add_prefix('c');"
        "recipe = ModelRecipe(name='own', detector='isolation-forest', features='mine');"
        "socml.fit(recipe, X, project=Project(root=root, workspace=root / 'workspace'))"
    )
    yield _figure("first result", "first fit in a new project", _least(["-c", code]), "CPU s", wanted=WANTED_FIT_S)


def _working(works: Callable[[str], bool], names: list[str]) -> int:
    count = 0
    for name in names:
        try:
            count += works(name)
        except Exception as error:  # a contract that is missed is a figure, and its reason a line
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
    return count


def _counted(case: str, measure: str, value: int, n: int) -> Figure:
    return _figure(case, measure, float(value), "", n=n)


def _figure(
    case: str, measure: str, value: float, unit: str, *, wanted: float | None = None, n: int | None = None
) -> Figure:
    versions = versions_of("scikit-learn", "river", "mlflow", "socml")
    peer = "wanted" if wanted else ""
    return Figure(case, measure, value, unit, peer, wanted, value / wanted if wanted else None, n, versions)


def _needed(package: str, extras: frozenset[str]) -> frozenset[str]:
    """Return the packages that one needs, itself left out, as their metadata in this environment say."""
    seen: set[tuple[str, str]] = set()
    waiting = [(package, extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            requirements = distribution(name).requires or []
        except PackageNotFoundError:  # of another platform or Python
            continue
        for text in requirements:
            wanted = Requirement(text)
            is_needed = wanted.marker is None or wanted.marker.evaluate({"extra": extra})
            if is_needed and (not extra or "extra" in str(wanted.marker)):
                waiting += [(_plain(wanted.name), one) for one in ("", *wanted.extras)]
    return frozenset(name for name, _ in seen if name != package)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _megabytes(packages: frozenset[str]) -> float:
    total = 0
    for name in packages:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
        total += sum(path.stat().st_size for path in paths if path.is_file())
    return total / 1e6


def _least(arguments: list[str], repeats: int = 3) -> float:
    found = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _python(arguments, ROOT, {})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def _python(arguments: list[str], folder: Path, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env={**kept, **more}, capture_output=True, text=True, check=True
    )


if __name__ == "__main__":
    main()
