"""Signing in with a real browser: the session outlives a reload, no script reads its cookie, and signing out ends it."""

from __future__ import annotations

from typing import Any

import pytest
from builders import make_project

from socml.labels.recording import open_labels

pytestmark = pytest.mark.browser
SECRET = "a long enough one"


def test_a_session_outlives_a_reload_and_ends_at_signing_out(page: Any, serve: Any, tmp_path: Any) -> None:
    project = make_project(tmp_path / "lab")
    with open_labels(project) as store:
        store.accounts.make("ana", "analyst", SECRET, by="setup")
    served = serve(project, tmp_path / "app.log")
    try:
        page.goto(served.home)
        page.locator("input[autocomplete=username]").fill("ana")
        page.locator("input[type=password]").fill(SECRET)
        with page.expect_response(lambda answer: answer.url.endswith("/session")) as answer:
            page.locator("[data-testid=stFormSubmitButton] button").click()
        assert answer.value.status == 204
        [cookie] = [one for one in page.context.cookies() if one["name"] == "socml_session"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert cookie["value"] not in page.evaluate("() => document.cookie + JSON.stringify({ ...localStorage })")
        page.reload()
        with page.expect_response(lambda answer: answer.url.endswith("/session")):
            page.locator(".st-key-sign_out button").click()
        page.locator("input[type=password]").wait_for()
        assert [one for one in page.context.cookies() if one["name"] == "socml_session"] == []
        page.context.add_cookies([cookie])
        page.reload()
        page.locator("input[type=password]").wait_for()
        assert page.locator(".st-key-sign_out").count() == 0, "the token ended with its session"
    finally:
        served.kill()
