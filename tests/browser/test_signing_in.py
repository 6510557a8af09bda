"""Signing in with a real browser: the session outlives a reload, no script reads its cookie, and signing out ends it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from builders import make_project, make_run
from oidc_provider import CLIENT, oidc_provider
from oidc_provider import SECRET as CLIENT_SECRET
from patience import wait_until

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


def test_a_provider_vouches_for_who_signs_in_and_the_account_says_what_they_may(
    windows: Any, serve: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("authlib")
    project = make_project(tmp_path / "lab")
    with open_labels(project) as store:
        store.accounts.make_elsewhere("ana@lab.example", "viewer", by="setup")
        store.accounts.make("lea@lab.example", "lead", SECRET, by="setup")
    with oidc_provider() as provider:
        served = serve(project, tmp_path / "app.log", at_once=False)
        settings = {
            "URL": f"{provider.url}/.well-known/openid-configuration",
            "CLIENT": CLIENT,
            "SECRET": CLIENT_SECRET,
        }
        for name, value in {**settings, "REDIRECT": f"{served.home}oauth2callback"}.items():
            monkeypatch.setenv(f"SOCML_OIDC_{name}", value)
        served.start()
        try:
            for claims, enters in (
                ({"email": "ana@lab.example", "email_verified": True}, True),
                ({"email": "ana@lab.example", "email_verified": False}, False),
                ({"email": "eve@lab.example", "email_verified": True}, False),
                ({"email": "lea@lab.example", "email_verified": True}, False),  # she has a password
                ({"email": "ana@lab.example", "email_verified": True, "iat": int(time.time()) - 3600}, False),
            ):
                provider.claims = claims
                page = windows.take()
                page.goto(f"{served.home}tools")
                page.locator(".st-key-sign_in_elsewhere button").click()
                page.wait_for_url(served.home)
                if not claims["email_verified"]:
                    page.get_by_text("did not say that this address is yours").wait_for()
                if enters:
                    page.locator(".st-key-sign_out button").wait_for()
                    page.get_by_text("ana@lab.example · ").wait_for()
                    page.route(
                        "**/auth/logout*", lambda route: route.fulfill(status=204)
                    )  # the provider's cookie stays
                    page.locator(".st-key-sign_out button").click()
                    page.locator(".st-key-sign_in_elsewhere button").wait_for()
                    page.reload()
                page.locator(".st-key-sign_in_elsewhere button").wait_for()
                assert page.locator(".st-key-sign_out").count() == 0
                if enters:
                    wait_until(lambda at=page.context: "socml_session" not in {c["name"] for c in at.cookies()})
                windows.give_back(page)
        finally:
            served.kill()


def test_a_viewer_of_hunt_has_no_verdicts_and_one_whose_role_changes_is_told(
    page: Any, serve: Any, tmp_path: Any
) -> None:
    project = make_project(tmp_path / "lab")
    make_run(project)
    with open_labels(project) as store:
        store.accounts.make("ana", "analyst", SECRET, by="setup")
    served = serve(project, tmp_path / "app.log")

    def sign_in() -> None:
        page.locator("input[autocomplete=username]").fill("ana")
        page.locator("input[type=password]").fill(SECRET)
        page.keyboard.press("Enter")
        page.wait_for_selector(".event[data-row-id][aria-busy=false]")

    try:
        page.goto(f"{served.url}?lang=fr")
        page.locator("input[type=password]").wait_for()
        assert page.get_by_text("Votre session a pris fin").count() == 0
        sign_in()
        page.locator(".say.malicious").wait_for()
        with open_labels(project) as store:
            store.accounts.make("ana", "viewer", SECRET, by="setup")
        page.keyboard.press("m")
        page.get_by_text("Votre session a pris fin").wait_for()
        sign_in()
        assert page.locator(".say, [name=note], [name=reason]").count() == 0
        assert page.locator(".tools button").count() == 1, "the list of keys alone"
        page.keyboard.press("h")
        page.locator(".help dl").wait_for()
        assert "Malveillant" not in page.locator(".help dl").inner_text()
        page.keyboard.press("Escape")
        page.locator(".st-key-sign_out button").click()
        page.locator("input[type=password]").wait_for()
        assert page.get_by_text("Votre session a pris fin").count() == 0, "they left by themselves"
        with open_labels(project) as store:
            assert store.current().empty
    finally:
        served.kill()
