"""What an install without extras lacks is named with the command that brings it, and nothing that it has needs them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from socml.project import as_socml_error
from socml.project.faults import _EXTRA_OF

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
ABSENT = ("mlflow", "streamlit", "altair", "matplotlib", "jupyterlab", "river", "krcf")

WITHOUT = """
import sys
for name in {absent!r}:
    sys.modules[name] = None  # as if it were not installed
import numpy as np, pandas as pd, socml
from pathlib import Path
from socml.project import ModelRecipe, Project
root = Path(sys.argv[1])
project = Project(root=root, workspace=root / "workspace")
table = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)), columns=list("abc"))
for detector in ("isolation-forest", "ensemble", "robust-z"):
    socml.fit(ModelRecipe(name=detector, detector=detector, features="mine"), table, project=project)
    scores = socml.anomaly_scores(socml.load_model(detector, project=project), table)
    assert len(scores) == 80
socml.explain(socml.load_model("isolation-forest", project=project), table, [0])
print("ok")
"""


@pytest.mark.parametrize("module", sorted(_EXTRA_OF))
def test_an_absent_module_is_named_with_its_extra(module):
    told = as_socml_error(ModuleNotFoundError(f"No module named '{module}.part'", name=f"{module}.part"))
    assert f"pip install 'socml[{_EXTRA_OF[module]}]'" in str(told)
    assert told.exit_code == 2


@pytest.mark.parametrize("module", sorted(set(_EXTRA_OF) - {"pyspark"}))
def test_that_extra_brings_it(module):
    assert any(line.startswith(module) for line in EXTRAS[_EXTRA_OF[module]])


def test_another_module_that_is_absent_is_a_bug():
    assert as_socml_error(ModuleNotFoundError("No module named 'numpi'", name="numpi")) is None


def test_a_headless_install_fits_scores_and_explains(tmp_path):
    code = WITHOUT.format(absent=ABSENT)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "ok", done.stderr[-2000:]


def test_the_app_says_what_it_lacks_before_an_address():
    code = "import sys; sys.modules['streamlit'] = None; sys.argv = ['socml', 'app']; from socml.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].endswith("pip install 'socml[app]'")
