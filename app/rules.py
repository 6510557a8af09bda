"""«Always benign when …» → the rules of an entity or of a whole dataset, each with its hits, and the making of one: shown before it hides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial

import streamlit as st
from daylist.rows import short_day
from figures import error_in_words, plain
from frame import Visit

from socml.jobs import Today, TodayReason, TodayRow, short, value_text
from socml.labels import BenignRule, LabelStore
from socml.project import SocmlError, Words, visible_line
from socml.review import RuleHit

_NAMED = 8  # of what a rule takes
_LASTS = timedelta(days=90)


def rules_about(rules: Sequence[BenignRule], role: str, entity: str) -> list[BenignRule]:
    """Return the rules that were not taken back and are about an entity: its own, and those of everyone of its role."""
    about = [rule for rule in rules if rule.entity in ("", entity) and rule.role in ("", role)]
    return [rule for rule in about if rule.state != "undone"]


def draw_rules(rules: Sequence[BenignRule], today: Today, store: LabelStore, say: Words, *, by: str) -> None:
    """Draw each rule as a sentence with its hits, and what pauses it and takes it back; `by` is empty for who may only look."""
    for rule in rules:
        hits = today.preview(store, rule)
        st.text(rule_text(rule, say))
        st.caption(
            say("app.rules.hits", n=len(hits), by=plain(rule.by)) + (f" · {plain(rule.why)}" if rule.why else "")
        )
        if not by:
            continue
        with st.container(horizontal=True):
            pause = rule.state == "on"
            if st.button(say("app.rules.pause" if pause else "app.rules.resume"), key=f"pause_{rule.id}"):
                _changed(partial(store.rules.pause if pause else store.rules.resume, rule.id, by=by), say)
            if st.button(say("app.rules.undo"), key=f"drop_{rule.id}"):
                _changed(partial(store.rules.undo, rule.id, by=by), say)


def rule_form(visit: Visit, today: Today, row: TodayRow, day: date, *, opened: bool) -> None:
    """Draw the making of a rule from what a row stands out by: whom, up to what, until when, and what it would take."""
    say = visit.say
    with st.expander(say("today.rule.make"), expanded=opened):
        by_family = {one.reason.family: one for one in row.reasons}
        family = st.selectbox(
            say("app.rules.family"), list(by_family), format_func=lambda one: say(f"daily.family.{one}")
        )
        reason = by_family[family or next(iter(by_family))]
        high = _highest(reason, say)
        everyone = st.checkbox(say("app.rules.everyone"), False)
        written = "DD/MM/YYYY" if say.language == "fr" else "YYYY-MM-DD"
        until = st.date_input(say("app.rules.until"), max(date.today(), day) + _LASTS, min_value=day, format=written)
        why = st.text_input(say("app.rules.why"), max_chars=300)
        rule = BenignRule(
            "", visit.dataset, reason.reason.family, entity="" if everyone else row.entity, role=row.role,
            column=reason.reason.column, high=high, until=until if isinstance(until, date) else None, why=why or "",
        )  # fmt: skip
        st.text(rule_text(rule, say))
        found = today.preview(visit.store, rule)
        st.caption(_taken([hit for hit, _ in found], say))
        bad = sum(malicious for _, malicious in found)
        if bad:
            st.warning(say("app.rules.hides_malicious", n=bad))
        if st.button(say("app.rules.make"), disabled=bool(bad), type="primary"):
            _changed(lambda: visit.store.rules.make(rule, by=visit.analyst), say)


def rule_text(rule: BenignRule, say: Words) -> str:
    """Return a rule as a sentence, with its state where it does not hold today."""
    high = value_text(rule.column, rule.high, say) if rule.high is not None else "∞"
    whom = visible_line(rule.entity) if rule.entity else say("app.rules.all")
    until = f"{short_day(rule.until, say)} {rule.until.year}" if rule.until else "—"
    over = rule.until is not None and rule.until < date.today()
    state = "paused" if rule.state == "paused" else "over" if over else ""
    line = say("app.rules.line", family=say(f"daily.family.{rule.family}"), whom=whom, high=high, until=until)
    return line + (f" ({say(f'app.rules.{state}')})" if state else "")


def _highest(reason: TodayReason, say: Words) -> float:
    """Ask up to which value it is benign; counts and bytes are whole numbers."""
    value = round(reason.reason.value, 2)
    about = say("app.rules.high", what=visible_line(short(reason, say)))
    if value == int(value):
        return float(st.number_input(about, value=int(value), min_value=0, step=1) or 0)
    return float(st.number_input(about, value=float(value), min_value=0.0) or 0.0)


def _taken(hits: Sequence[RuleHit], say: Words) -> str:
    """Say how much of the days so far a rule takes, and of whom."""
    if not hits:
        return say("app.rules.takes_none")
    whom = dict.fromkeys(f"{visible_line(hit.entity)} ({short_day(hit.day, say)})" for hit in hits)
    named = ", ".join(list(whom)[:_NAMED]) + (", …" if len(whom) > _NAMED else "")
    return plain(say("app.rules.takes", n=len(hits), whom=named))


def _changed(do: Callable[[], object], say: Words) -> None:
    """Do it and draw the page anew; what socml refuses is told in its words."""
    try:
        do()
    except SocmlError as error:
        st.error(plain(error_in_words(error, say)))
        return
    st.rerun()
