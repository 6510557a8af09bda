"""Today: rows with both ranges, groups, what is new, and what a verdict or a rule changes; an undo leaves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from small_days import small_days

from socml.features.entity_day_table import columns_of
from socml.ingestion.event_pages import event_page
from socml.jobs.today import Today
from socml.jobs.today_rows import TodayList, TodayReason, TodayRow, Usual
from socml.jobs.today_words import _range, effect_in_words, row_in_words, short, usual_in_words, value_text
from socml.labels.benign_rules import BenignRule
from socml.labels.store import LabelStore
from socml.labels.verdicts import NewLabel
from socml.project.errors import DataError, UnknownName
from socml.project.project import Project, starter_root
from socml.project.recipes import load_feature_recipe, load_model_recipe
from socml.project.wording import words
from socml.review.daily_reasons import Reason

LAST = "2026-03-04"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return small_days(tmp_path_factory.mktemp("days") / "lab")


def row_of(listed: TodayList, entity: str) -> TodayRow:
    return next(row for row in listed.rows if row.entity == entity and row.role == "source inside")


def test_a_day_has_rows_with_both_ranges_and_what_is_new(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        listed = Today("office", project=project).of(store)
    assert [str(day) for day in listed.days] == [f"2026-03-0{n}" for n in range(1, 5)]
    scan, logons = row_of(listed, "10.0.0.4"), row_of(listed, "10.0.0.5")
    assert not scan.is_new, "it scanned the day before too"
    assert logons.is_new
    usual = scan.reasons[0].usual
    assert (usual.own_low, usual.own_high, usual.own_days) == (0, 20, 3)
    assert usual.all_high < 20
    assert sum(reason.share for reason in scan.reasons) == pytest.approx(1)
    assert scan.first_day == date(2026, 3, 1)


def test_rows_that_do_the_same_are_one_group(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        listed = Today("office", project=project).of(store)
    first, second = row_of(listed, "10.0.0.5"), row_of(listed, "10.0.0.6")
    assert first.group == second.group
    assert row_of(listed, "10.0.0.4").group != first.group


def test_a_verdict_on_one_reason_leaves_the_others_and_an_undo_leaves_nothing(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        before = today.of(store)
        row = row_of(before, "10.0.0.4")
        store.reasons.give(row.row_id, "scan", "benign", by="ana", client_id="a", dataset="office")
        after = row_of(today.of(store), "10.0.0.4")
        assert after.score < row.score
        assert after.reasons[0].reason.remembered == "benign"
        store.reasons.undo("a", by="ana", client_id="b")
        assert today.of(store) == before


def test_a_benign_verdict_lets_the_days_after_it_step_back(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        third, last = today.of(store, "2026-03-03"), row_of(today.of(store), "10.0.0.4")
        judged = row_of(third, "10.0.0.4")
        store.record([NewLabel(judged.row_id, "benign", client_id="a", dataset="office")])
        assert row_of(today.of(store), "10.0.0.4").score < last.score
        own_day = row_of(today.of(store, "2026-03-03"), "10.0.0.4")
        assert own_day.reasons[0].reason.remembered == "", "it does not step back from its own verdict"


def test_a_malicious_verdict_scores_the_days_after_without_it(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        judged = row_of(today.of(store, "2026-03-03"), "10.0.0.4")
        store.record([NewLabel(judged.row_id, "malicious", client_id="a", dataset="office")])
        again = row_of(today.of(store), "10.0.0.4")
        assert again.reasons[0].reason.remembered == "malicious"
        assert again == row_of(Today("office", project=project).of(store), "10.0.0.4"), "the same as from nothing"


def test_a_rule_takes_what_it_says_and_nothing_above_or_after(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        before = today.of(store)
        reason = row_of(before, "10.0.0.4").reasons[0].reason
        rule = BenignRule(
            "", "office", "scan", entity="10.0.0.4", column=reason.column, high=reason.value, why="scanner"
        )
        hits = today.preview(store, rule)
        assert {(str(hit.day), hit.entity) for hit, _ in hits} == {("2026-03-03", "10.0.0.4"), (LAST, "10.0.0.4")}
        for high, until, there in ((reason.value, None, False), (reason.value - 1, None, True),
                                   (reason.value, date(2026, 3, 3), True)):  # fmt: skip
            made = store.rules.make(replace(rule, high=high, until=until), by="ana")
            assert ("10.0.0.4" in [row.entity for row in today.of(store).rows]) == there
            store.rules.pause(made.id, by="ana")
            assert today.of(store) == before
            store.rules.resume(made.id, by="ana")
            store.rules.undo(made.id, by="ana")
            assert today.of(store) == before


def test_rules_that_would_hide_all_are_refused() -> None:
    with LabelStore("sqlite://") as store:
        with pytest.raises(DataError, match="never be seen"):
            store.rules.make(BenignRule("", "office", "scan"), by="ana")
        with pytest.raises(DataError, match="between"):
            store.rules.make(BenignRule("", "office", "scan", entity="a", low=3, high=2), by="ana")
        with pytest.raises(UnknownName):
            store.rules.pause("none", by="ana")
        made = store.rules.make(BenignRule("", "office", "scan", entity="a"), by="ana")
        store.rules.undo(made.id, by="ana")
        with pytest.raises(DataError, match="taken back"):
            store.rules.resume(made.id, by="ana")
        assert [rule.state for rule in store.rules.all(dataset="office")] == ["undone"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_sentences_are_short_and_inert_and_never_contradict_the_range(project: Project, language: str) -> None:
    said = words(language)
    with LabelStore("sqlite://") as store:
        listed = Today("office", project=project).of(store)
    for row in listed.rows:
        line = row_in_words(row, said)
        assert line
        assert len(line.split(" ")) <= 25
        for reason in row.reasons:
            assert short(reason, said)
            usual = usual_in_words(row, reason, said)
            if reason.usual.own_high:
                assert value_text(reason.reason.column, reason.usual.own_high, said) in usual
    row = row_of(listed, "10.0.0.4")
    assert value_text(row.reasons[0].reason.column, row.reasons[0].reason.value, said) in row_in_words(row, said)
    for verdict in ("malicious", "benign", "unsure"):
        assert effect_in_words(row, verdict, "", 2, said)


def test_every_column_of_the_shipped_list_has_a_phrase() -> None:
    shipped = Project(root=starter_root(), workspace=Path("none"))
    names = [
        c.name
        for c in columns_of([load_feature_recipe(s, shipped) for s in load_model_recipe("daily", shipped).feature_sets])
    ]
    for language in ("en", "fr"):
        lacking = [name for name in names if f"today.short.{name}" not in words(language).catalogue]
        assert not lacking, f"add today.short.{lacking[0]} to languages/{language}.toml" if lacking else ""


def test_values_carry_their_unit() -> None:
    said = words("en")
    assert value_text("upload_1d", 81_776_678, said) == "82\u00a0MB"
    assert value_text("silent_s", 7200, said) == "2\u00a0h"
    assert value_text("failures", 1234, said) == "1,234"


def test_events_come_by_page_and_filter(project: Project) -> None:
    about = {"entity": {"source_ip": "10.0.0.4"}, "first": date(2026, 3, 4), "project": project}
    whole = event_page("office", limit=200, **about)
    pages = [event_page("office", offset=offset, limit=20, **about) for offset in (0, 20, 80)]
    assert [len(page.rows) for page in pages] == [20, 20, whole.total - 80]
    assert [i for page in pages[:2] for i in page.rows["event_id"]] == whole.rows["event_id"].to_list()[:40]
    assert sum(whole.hours) == whole.total
    assert whole.hours[14] == 90
    failed = event_page("office", only=[("connection_state", "S0")], **about)
    others = event_page("office", exclude=[("connection_state", "S0")], **about)
    assert (failed.total, others.total) == (90, whole.total - 90)
    with pytest.raises(UnknownName):
        event_page("office", only=[("no_such", "x")], **about)


def test_a_filter_is_never_run_as_sql(project: Project) -> None:
    about = {"entity": {"source_ip": "10.0.0.4"}, "first": date(2026, 3, 4), "project": project}
    assert event_page("office", only=[("connection_state", "' or 1=1 --")], **about).total == 0


def test_days_of_an_entity_say_when_it_was_not_seen(project: Project) -> None:
    with LabelStore("sqlite://") as store:
        today = Today("office", project=project)
        strip = today.strip(store, "source inside", "10.0.0.4")
        assert [day.dots > 0 for day in strip][-2:] == [True, True]
        assert today.roles_of(store, "10.0.0.4") == ["source inside"]
        assert today.strip(store, "source inside", "10.9.9.9")[0].row_id is None
        assert today.day_of_row(store, strip[-1].row_id or "") == date(2026, 3, 4)
        assert today.day_of_row(store, "none") is None


def told_of(column: str, value: float, about: str = "", *, own_largest: float | None = None) -> TodayReason:
    reason = Reason("edge", column, value, about, 1.0, 0.001, own_largest, "")
    return TodayReason(reason, Usual(None, None, 0.0, 0.0, 0), 1.0)


@pytest.mark.parametrize(
    ("column", "value", "about", "english", "french"),
    [
        ("new_inside_edges", 1.5, "a · b · c", "first contact with 3 inside machines (a, b, c)",
         "premier contact avec 3 machines internes (a, b, c)"),
        ("new_inside_edges", 0.25, "a", "first contact with an inside machine (a)", "premier contact avec une machine interne (a)"),
        ("new_remote_edges", 4.25, "a · b · c · d · e · f", "first remote control of at least 6 inside machines (a, b, c, d, e and others)",
         "au moins 6 machines internes prises en main pour la première fois (a, b, c, d, e et d’autres)"),
        ("new_fingerprints", 1.2, "771", "at least 2 TLS clients it never used (771)", "au moins 2 clients TLS jamais utilisés (771)"),
        ("rare_upload", 4e6, "a", "at least 4\u00a0MB sent to a place few others use (a)",
         "au moins 4\u00a0Mo envoyés vers un lieu que peu d’autres utilisent (a)"),
        ("rare_long", 7200.0, "a", "a connection of at least 2\u00a0h to a place few others know (a)",
         "une connexion qui a duré au moins 2\u00a0h vers un lieu que peu d’autres connaissent (a)"),
        ("new_hidden_characters", 0.5, "", "a character hidden in names of a domain it never asked for before",
         "un caractère caché dans des noms d’un domaine jamais demandé auparavant"),
        ("unknown_domains", 1.0, "x.fr", "one domain asked for that does not exist (x.fr)", "un domaine demandé qui n’existe pas (x.fr)"),
        ("new_root_accounts", 2.0, "a · b", "2 accounts acted as root for the first time (a, b)",
         "2 comptes agissent en root pour la première fois (a, b)"),
    ],
)  # fmt: skip
def test_a_number_is_how_many_there_are_or_says_that_there_may_be_more(
    column: str, value: float, about: str, english: str, french: str
) -> None:
    reason = told_of(column, value, about)
    assert (short(reason, words("en")), short(reason, words("fr"))) == (english, french)


def test_never_before_is_said_of_what_would_have_counted(project: Project) -> None:
    recipes = [load_feature_recipe(name, project) for name in ("daily-logon", "daily-upload")]
    columns = {column.name: column for column in columns_of(recipes)}
    for name, largest, english, french in [
        ("failures", 0.0, "fewer than 3 before", "moins de 3 avant"),
        ("failures", 4.0, "at most 4 before", "au plus 4 avant"),
        ("upload_1d", 0.0, "never before", "jamais avant"),
    ]:
        reason = told_of(name, 9.0, own_largest=largest).reason
        assert reason.in_words(columns[name], words("en")).endswith(f", {english}]")
        assert reason.in_words(columns[name], words("fr")).endswith(f", {french}]")


@pytest.mark.parametrize(
    ("column", "low", "high", "text"),
    [
        ("new_inside_edges", 0.0, 1.03, "0–2"),
        ("new_inside_edges", 1.2, 2.0, "1–2"),
        ("new_inside_edges", 0.0, 0.0, "0"),
        ("new_fingerprints", 0.1, 0.1000000001, "0–1"),
        ("new_hosts_entered", 0.0, 3.0, "0–3"),  # is not divided
    ],
)
def test_what_is_usual_of_whole_things_is_told_in_whole_numbers(
    column: str, low: float, high: float, text: str
) -> None:
    assert _range(column, low, high, words("en")) == text
