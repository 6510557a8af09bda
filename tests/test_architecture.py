"""The folder tree itself: recipe folders hold no Python, layers hold, modules stay readable."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(p for folder in ("socml", "app") for p in (ROOT / folder).rglob("*.py"))
RECIPES = ("datasets", "features", "models", "experiments")


@pytest.mark.parametrize("folder", RECIPES)
def test_recipe_folders_hold_no_python(folder):
    assert list((ROOT / folder).rglob("*.py")) == []


def test_layers_hold():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def modules_imported(path, top):
    """Yield the modules below `top` that a module names: at its head, in a function or for its types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        found = (top / f"{name.replace('.', '/')}.py" for name in names)
        yield from (module for module in found if module.is_file() and module != path)


@pytest.mark.parametrize("top", [ROOT, ROOT / "app"], ids=["socml", "app"])
def test_no_module_imports_itself_over_others(top):
    TopologicalSorter({path: set(modules_imported(path, top)) for path in MODULES}).prepare()


def test_no_library_is_imported_by_names_that_are_its_own():
    known = {
        "sklearn.utils._param_validation",
        "sklearn.tree._tree",
    }  # in one module each; the second for its type alone
    own = {path.stem for path in MODULES} | {"socml", "labelling"}
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [f"{node.module}.{one.name}" for one in node.names]
            inner = [name for name in names if "._" in name and name.partition(".")[0] not in own]
            found += {(name.rpartition(".")[0], str(path.relative_to(ROOT))) for name in inner}
    assert {library for library, _ in found} == known
    assert len(set(found)) == len(known), found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_does(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    if tree.body:
        assert ast.get_docstring(tree), f"{path.name} has no docstring"


def test_the_app_imports_nothing_of_ours_but_socml():
    allowed = {"socml", "streamlit", "starlette", "pandas", "altair", "pyarrow", "numpy", "app"}
    own = {p.stem for p in (ROOT / "app").rglob("*.py")} | {p.name for p in (ROOT / "app").iterdir() if p.is_dir()}
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                top = name.split(".")[0]
                assert top in allowed | own | set(sys.stdlib_module_names), f"{path.name} imports {name}"


def test_no_module_is_named_like_a_standard_one():
    names = {p.stem for p in MODULES if p.stem not in {"__init__", "__main__"}}
    # files in a package are never imported by their bare name; only top modules can shadow
    top = {p.stem for p in (ROOT / "socml").glob("*.py")} & names
    assert not top & set(sys.stdlib_module_names)


@pytest.mark.parametrize("folder", RECIPES)
def test_the_readme_of_a_recipe_folder_is_made_from_its_recipes(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    tables = importlib.import_module("recipe_tables")
    assert (ROOT / folder / "README.md").read_text(encoding="utf-8") == tables.readme(folder), "run: make readmes"


def test_nothing_loads_a_pickle_or_writes_markup_from_data():
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        for call in ("pickle.load", "joblib.load(", "cloudpickle", "unsafe_allow_html", "eval(", "shell=True"):
            assert call not in text, f"{path.name} has {call}"
    for path in (ROOT / "app").rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        for call in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert call not in text, f"{path.name} has {call}"
