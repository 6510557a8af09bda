"""What socml refuses → a sentence in the language of whoever asked: of the catalogue, the English one as the command line says it."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from app_pages import all_text, app_project, open_app_on, opened
from test_responses_hostile import a_case, leave

from socml.labels import BenignRule, open_labels
from socml.models.versions import registry_error
from socml.project import DataError, Project, Sentence, SocmlError, UnknownName, error_text, words
from socml.respond import Cases, preview, undo_response

__all__ = ["app_project", "open_app_on"]
ROOT = Path(__file__).resolve().parents[1]
FR = words("fr")


def refused(do: Callable[[], Any]) -> tuple[str, str]:
    """Return the message of what is raised, and what it says in French; no space there parts a sign from its word."""
    with pytest.raises(SocmlError) as caught:
        do()
    return str(caught.value), error_text(caught.value, FR).replace("\u00a0", " ")


def test_every_sentence_of_an_error_is_raised_somewhere_and_each_that_is_raised_is_there() -> None:
    rooms = [path.read_text(encoding="utf-8") for top in ("socml", "app") for path in (ROOT / top).rglob("*.py")]
    raised = {key for text in rooms for key in re.findall(r'"(error\.[a-z_.]+)"', text)}
    kept = {re.sub(r"\.(?:one|other)$", "", key) for key in FR.catalogue if key.startswith("error.")}
    assert raised == kept


@pytest.mark.parametrize("key", ["error.family.strange", "error.respond.nothing"])
def test_one_is_said_as_one(key: str) -> None:
    one, two = (Sentence(key, n=n, family="scan") for n in (1, 2))
    assert " is " in one
    assert " are " in two
    assert " n’est " in one.said(FR)
    assert " ne sont " in two.said(FR)


def test_an_error_says_itself_in_french_and_survives_another_process() -> None:
    error = DataError(Sentence("error.view.name", most=1_200, count=0))
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == "A view needs a name of 1 to 1,200 characters, not 0."
    assert error_text(copy, FR) == "Le nom d’une vue a de 1 à 1\u202f200 caractères, et non 0."
    assert error_text(DataError("only English"), FR) == "only English"
    assert error_text(DataError(), FR) == ""


def test_a_name_that_is_none_is_said_with_the_nearest() -> None:
    error = UnknownName("experiment", "fist-look", ["first-look"])
    assert error_text(error, words("en")) == str(error)
    assert error_text(error, FR).replace("\u00a0", " ") == "« fist-look » n’existe pas. Peut-être « first-look » ?"
    assert error_text(UnknownName("rule", "x", []), FR).replace("\u00a0", " ") == "« x » n’existe pas."


def test_what_rules_views_and_labels_refuse_is_said_in_french(app_project: Project) -> None:
    with open_labels(app_project) as store:
        rule = BenignRule("", "office", "scan", until=date(2026, 3, 9))
        assert refused(lambda: store.rules.make(rule, by="alice"))[1].startswith("Une règle demande une entité")
        assert refused(lambda: store.views.save("", {}, by="alice", dataset="office"))[1].startswith("Le nom d’une vue")
        assert refused(lambda: store.families.rename("scan", "b", by="alice")) == (
            "There is no family called 'scan'.",
            "« scan » n’existe pas.",
        )
        assert refused(lambda: store.undo(by="alice", client_id="u"))[1] == "« alice » n’a aucun verdict à annuler."
    with open_labels(app_project, read_only=True) as store:
        assert refused(lambda: Cases(store).open("t", by="alice"))[1].startswith("Votre rôle permet de regarder")


def test_what_a_response_refuses_is_said_in_french(app_project: Project) -> None:
    case = a_case(app_project, "7.7.7.7")
    english, french = refused(lambda: preview("the-hive", case, project=app_project))
    assert english == "respond.toml has no section [the-hive]: nothing leaves before it says where to."
    assert french == "respond.toml n’a pas de section [the-hive] : rien ne part tant qu’il ne dit pas où."
    (app_project.root / "respond.toml").write_text('[webhook]\nurl = "http://127.0.0.1:1"\n', encoding="utf-8")
    assert "127.0.0.1:1 ne répond pas" in refused(lambda: leave("webhook", case, app_project))[1]
    with open_labels(app_project) as store:
        cases = Cases(store)
        assert (
            "n’est pas une technique ATT&CK"
            in refused(lambda: cases.change(case.id, by="alice", techniques=("T12",)))[1]
        )
        cases.change(case.id, by="alice", tlp="red")
        red = cases.get(case.id)
        assert "est TLP:RED" in refused(lambda: preview("webhook", red, project=app_project))[1]
        gone = refused(lambda: undo_response("x", case.id, store=store, project=app_project, by="alice"))
        assert gone[0] == f"Case {case.id} has no response 'x'."


@pytest.mark.parametrize(("language", "said"), [("fr", "n’a pas de section"), ("en", "has no section")])
def test_the_page_of_a_case_says_why_it_cannot_leave_in_its_language(
    language: str, said: str, app_project: Project
) -> None:
    case = a_case(app_project, "7.7.7.7")
    page = opened("cases.py", lang=language, case=case.id)
    page.selectbox(key=f"responder_{case.id}").set_value("the-hive").run()
    assert not page.exception
    assert said in all_text(page)


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "INVALID_PARAMETER_VALUE"])
@pytest.mark.parametrize("secret", ["s3cret", "s3@cret", "s3%2Fcret"])
def test_no_error_of_a_registry_repeats_the_password_of_its_address(code: str, secret: str) -> None:
    exceptions = pytest.importorskip("mlflow.exceptions")
    error = exceptions.MlflowException(f"API request to https://ana:{secret}@mlflow.example/api failed", code)
    said = str(registry_error(error))
    assert secret.removeprefix("s3@") not in said
    assert "https://…@mlflow.example/api" in said
