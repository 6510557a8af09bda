"""From a row of Today to a case and back in a real browser, a French analyst and an English lead at the same case."""

from __future__ import annotations

from typing import Any

import pytest
from patience import wait_until
from small_days import small_days

from socml.labels import open_labels
from socml.respond import Cases

pytestmark = pytest.mark.browser
WHOLE = ".detail[data-row-id][aria-busy=false]"


def stored(served: Any) -> Any:
    with open_labels(served.project) as store:
        return Cases(store).get("C1")


def test_a_row_goes_into_a_case_that_two_people_keep_in_two_languages(new_page: Any, serve: Any, tmp_path: Any) -> None:
    served = serve(small_days(tmp_path / "lab"), tmp_path / "app.log")
    try:
        ana, lea = new_page(), new_page()
        ana.goto(f"{served.home}?dataset=office&day=2026-03-04&lang=fr&by=ana")
        ana.wait_for_selector(WHOLE)
        ana.keyboard.press("x")
        ana.get_by_role("button", name="Mettre dans le dossier").dblclick()
        ana.locator("[data-testid=stForm] input[aria-label=Objet]").wait_for()
        ana.wait_for_function("() => location.search.includes('case=C1')")
        lea.goto(f"{served.home}cases?dataset=office&case=C1&lang=en&by=lea")
        lea.get_by_text("Wed 4 Mar 2026").wait_for()
        ana.get_by_text("mer. 4 mars 2026").wait_for()
        ana.get_by_text("Preuves conservées").click()
        ana.get_by_text("liste de contrôle : ✓ Preuves conservées").wait_for()
        lea.get_by_text("Who and what is touched").click()
        lea.get_by_text("checklist: ✓ Who and what is touched").wait_for()
        assert stored(served).done == {"evidence", "scope"}
        ana.locator("input[aria-label='ATT&CK']").fill("T1046")  # and not saved: what others do leaves it alone
        ana.locator("input[aria-label=Objet]").fill("Balayage de B")
        ana.reload()
        ana.wait_for_function("() => document.querySelector(\"input[aria-label='ATT&CK']\")?.value === 'T1046'")
        ana.wait_for_function("() => document.querySelector('input[aria-label=Objet]')?.value === 'Balayage de B'")
        ana.locator("textarea").fill("asked the owner")
        lea.get_by_label("Owner", exact=True).fill("lea")
        lea.get_by_role("button", name="Save").click()
        lea.get_by_text("changed: Owner lea").wait_for()
        ana.get_by_role("button", name="Ajouter").dblclick()
        ana.locator("[data-testid=stText]", has_text="asked the owner").first.wait_for()
        ana.wait_for_function("() => document.querySelector('textarea')?.value === ''")
        ana.wait_for_function("() => document.querySelector('input[aria-label=Responsable]')?.value === 'lea'")
        assert ana.locator("input[aria-label='ATT&CK']").input_value() == "T1046"
        assert stored(served).techniques == ()
        ana.get_by_role("button", name="Enregistrer").click()
        ana.get_by_text("Balayage de B").first.wait_for()
        wait_until(lambda: stored(served).title == "Balayage de B")
        assert (stored(served).techniques, stored(served).owner) == (("T1046",), "lea")
        ana.reload()
        ana.wait_for_function("() => document.querySelector('input[aria-label=Objet]')?.value === 'Balayage de B'")
        assert ana.evaluate("Object.keys(sessionStorage).filter((key) => key.includes('draft_'))") == []
        assert [note.text for note in stored(served).notes] == ["asked the owner"]
        assert len(stored(served).rows) == 1
        ana.goto(f"{served.home}?dataset=office&day=2026-03-04&lang=fr&by=ana")
        ana.wait_for_selector(WHOLE)
        ana.locator(".detail a.case").click()
        ana.locator("[data-testid=stForm] input[aria-label=Objet]").wait_for()
        with ana.context.expect_page() as opened:
            ana.locator("a[href*='role=']").first.click()
        opened.value.locator("a[href*='case=C1']").wait_for()
        opened.value.close()
    finally:
        served.kill()


def test_a_note_that_is_typed_outlives_a_reload_and_is_gone_once_it_is_stored(
    new_page: Any, serve: Any, tmp_path: Any
) -> None:
    served = serve(small_days(tmp_path / "lab"), tmp_path / "app.log")
    with open_labels(served.project) as store:
        Cases(store).open("Scan", by="ana", dataset="office")
    page = new_page()
    note, entity = page.locator("textarea"), page.locator("[class*=draft_entity] input")
    try:
        page.goto(f"{served.home}cases?dataset=office&case=C1&lang=en&by=ana")
        note.fill("asked the owner,\nwho is away")
        entity.fill("10.0.0.9")
        page.reload()
        page.wait_for_function("() => document.querySelector('textarea')?.value === 'asked the owner,\\nwho is away'")
        page.wait_for_function("() => document.querySelector('[class*=draft_entity] input')?.value === '10.0.0.9'")
        page.goto(f"{served.home}cases?dataset=office&case=C1&lang=en&by=lea")  # another person, in the same tab
        note.wait_for()
        assert (note.input_value(), entity.input_value()) == ("", "")
        page.goto(f"{served.home}cases?dataset=office&case=C1&lang=fr&by=ana")
        page.wait_for_function("() => document.querySelector('textarea')?.value.startsWith('asked the owner')")
        page.get_by_role("button", name="Ajouter").dblclick()
        page.locator("[data-testid=stText]", has_text="asked the owner").first.wait_for()
        page.wait_for_function("() => document.querySelector('textarea')?.value === ''")
        page.wait_for_function("() => Object.keys(sessionStorage).every((key) => !key.includes('draft_'))")
        assert [one.text for one in stored(served).notes] == ["asked the owner,\nwho is away"]
        assert stored(served).entities == ("10.0.0.9",)
        page.reload()
        note.wait_for()
        assert note.input_value() == ""
        entity.fill("10.0.0.8")
        kept = "Object.keys(sessionStorage).filter((key) => key.includes('draft_entity')).length"
        assert page.evaluate(kept) == 1
        # as React draws what the server emptied, when nothing else changes with it
        entity.evaluate("(input) => { input.value = ''; input.setAttribute('value', ''); }")
        assert page.evaluate(kept) == 0
    finally:
        served.kill()
