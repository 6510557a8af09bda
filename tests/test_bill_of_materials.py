"""Every locked package stands in the bill of materials and in the list of licences, with its hashes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("bill_of_materials", ROOT / "docs" / "bill_of_materials.py")
assert spec is not None
assert spec.loader is not None
bill_of_materials = importlib.util.module_from_spec(spec)
import sys  # noqa: E402

sys.modules["bill_of_materials"] = bill_of_materials  # a dataclass looks its module up
spec.loader.exec_module(bill_of_materials)


def test_every_locked_package_is_there_with_hashes_and_a_licence():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    parts = bill_of_materials.locked(ROOT / "requirements.lock")
    assert len(parts) == sum("==" in line for line in lock.splitlines())
    assert all(part.hashes for part in parts)
    by_name = {part.name: part for part in parts}
    assert "BSD" in by_name["numpy"].licence
    assert sum(part.licence == "unknown" for part in parts) <= 5


def test_the_list_of_licences_is_that_of_the_lock():
    listed = (ROOT / "docs" / "reference" / "licences.md").read_text(encoding="utf-8")
    for part in bill_of_materials.locked(ROOT / "requirements.lock"):
        assert f"| {part.name} | {part.version} |" in listed, f"make sbom: {part.name} {part.version}"


def test_the_bill_is_cyclonedx():
    part = bill_of_materials.Part("numpy", "2.4.6", "BSD-3-Clause", ("0" * 64,))
    made = bill_of_materials.bill([part])
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["components"][0]["purl"] == "pkg:pypi/numpy@2.4.6"
