"""Named views and ways to choose the rows on Today, in a real browser: saved, shared, opened by link, and judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from small_days import small_days

from socml.labels.recording import open_labels
from socml.review.queues import is_drawn

pytestmark = pytest.mark.browser
WHOLE = ".detail[data-row-id][aria-busy=false]"


@pytest.fixture(scope="module")
def office(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    served = serve(small_days(tmp_path_factory.mktemp("views") / "lab"), tmp_path_factory.mktemp("log") / "app.log")
    yield served
    served.kill()


def saved(page: Any) -> None:
    page.wait_for_selector(".unsaved", state="hidden")


def test_a_filter_gets_a_name_a_colleague_opens_it_and_only_its_owner_changes_it(new_page: Any, office: Any) -> None:
    ana = new_page(permissions=["clipboard-read", "clipboard-write"])
    ana.goto(f"{office.home}?by=ana&q=445")
    ana.wait_for_selector(WHOLE)
    ana.keyboard.press("v")
    ana.keyboard.type("Scans <b>&")
    ana.locator("[name=view-shared]").check()
    ana.keyboard.press("Enter")
    ana.locator(".views .open", has_text="Scans <b>&").wait_for()
    ana.locator(".views [name^=link-]").click()
    link = ana.evaluate("() => navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).query) == {"dataset": ["office"], "q": ["445"]}
    ana.locator(".views [name^=rename-]").click()
    ana.locator("[name=new-name]").fill("Scans")
    ana.keyboard.press("Enter")
    ana.locator(".views .open", has_text="Scans").wait_for()
    saved(ana)
    bo = new_page()
    bo.goto(f"{office.home}?by=bo")
    bo.wait_for_selector(WHOLE)
    n = bo.locator(".row").count()
    bo.keyboard.press("v")
    assert bo.locator(".views [name^=rename-], .views [name^=delete-]").count() == 0
    bo.locator(".views .open", has_text="Scans").click()
    bo.wait_for_function("() => location.search.includes('q=445')")
    bo.locator(".row").nth(n - 1).wait_for(state="detached")
    bo.go_back()
    bo.wait_for_function("() => !location.search.includes('q=445')")
    bo.goto(link)
    bo.wait_for_selector(WHOLE)
    assert bo.locator(".filter").input_value() == "445"
    ana.locator(".views [name^=delete-]").click()
    ana.locator(".views .open").wait_for(state="detached")
    saved(ana)
    with open_labels(office.project) as store:
        assert store.views.seen_by("ana", dataset="office") == []
        assert store.history(dataset="office").empty, "letters in a name are text"


def test_a_second_view_is_named_by_the_keys_that_named_the_first_and_the_list_fits_a_telephone(
    page: Any, office: Any
) -> None:
    page.goto(f"{office.home}?by=dan&q=445")
    page.wait_for_selector(WHOLE)
    for n, name in enumerate(("First", "Second"), 1):
        page.keyboard.press("v")
        page.locator("[name=view-name]:focus").wait_for()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        page.locator(".views .open").nth(n - 1).wait_for()
        page.keyboard.press("Escape")
        page.locator(".views").wait_for(state="hidden")
    saved(page)
    with open_labels(office.project) as store:
        assert {view.name for view in store.views.seen_by("dan", dataset="office")} == {"First", "Second"}
    page.set_viewport_size({"width": 390, "height": 860})
    page.keyboard.press("v")
    page.locator("[name=view-name]").wait_for()
    box = page.locator(".views").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_rows_by_lot_are_in_the_address_and_their_verdict_says_how_they_were_drawn(page: Any, office: Any) -> None:
    page.goto(f"{office.home}?by=cy")
    page.wait_for_selector(WHOLE)
    page.locator(".queue-choice").select_option("random-audit")
    page.locator(".row .before").first.wait_for()
    page.wait_for_selector(WHOLE)
    page.wait_for_function("() => location.search.includes('queue=random-audit')")
    page.reload()
    page.locator(".row .before").first.wait_for()
    page.wait_for_selector(WHOLE)
    row, n = page.locator(".detail").get_attribute("data-row-id"), page.locator(".row").count()
    page.keyboard.press("b")
    page.locator(".last", has_text="benign").wait_for()
    saved(page)
    with open_labels(office.project) as store:
        [label] = store.history(dataset="office").to_dict("records")
    assert (label["row_id"], label["queue_reason"]) == (row, "random-audit")
    assert label["inclusion_probability"] == pytest.approx(1 / n)
    page.keyboard.press("z")
    page.locator(".last", has_text="back").wait_for()
    saved(page)
    with open_labels(office.project) as store:
        assert store.current(dataset="office").empty


def test_a_second_opinion_does_not_see_the_first(new_page: Any, office: Any) -> None:
    from socml.jobs.today import Today
    from socml.labels.verdicts import NewLabel

    with open_labels(office.project) as store:
        today = Today("office", project=office.project)
        days = {str(day): today.of(store, str(day), queue="random-audit").rows for day in today.of(store).days}
        day, row = next((day, row.row_id) for day, rows in days.items() for row in rows if is_drawn(row.row_id))
        store.record([NewLabel(row, "malicious", client_id="first", dataset="office", by="ana")])
        page = new_page()
        page.goto(f"{office.home}?by=bo&day={day}&queue=second-looks")
        page.wait_for_selector(WHOLE)
        assert page.locator(".row .verdict").count() == 0
        assert page.locator(".say[aria-pressed=true]").count() == 0
        page.keyboard.press("b")
        page.locator(".row .verdict.benign").wait_for()
        saved(page)
        given = store.by_analyst(dataset="office").set_index("by")["verdict"]
    assert dict(given) == {"ana": "malicious", "bo": "benign"}
