"""An entity of the daily list → its weeks, swim lanes by family, who else does it, whom it met, its rules, cases and events."""

from __future__ import annotations

from datetime import date

import altair as alt
import pandas as pd
import streamlit as st
from addressed import link
from daylist.desk import has_list, kept_today
from daylist.event_pages import COLUMN_OF_ROLE, TOLD, title
from daylist.rows import day_text, short_day
from figures import draw_chart, draw_table, pair, plain
from frame import Visit, heading, open_day_page
from rules import draw_rules, rule_form, rules_about

from socml.ingestion import EventPage, event_page
from socml.jobs import DayOfEntity, Today, row_in_words
from socml.project import Words, visible_line
from socml.respond import Cases

_SIZE = 50
_MET = ("source_ip", "destination_ip", "user_name", "host_name")


def _entity(visit: Visit) -> None:
    say = visit.say
    entity = st.query_params.get("entity", "")
    if not visit.dataset or not entity:
        st.info(say("app.entity.none"))
        return
    if not has_list(visit):
        return
    today = kept_today(visit.project, visit.dataset)
    roles = today.roles_of(visit.store, entity)
    if not roles:
        heading(visible_line(entity))
        st.info(say("app.entity.not_listed"))
        _events(visit, entity, _columns_of(entity, ["source inside", "account inside", "host inside"]), None)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(entity), width="content", anchor=False)
        first = role = _first_role(visit, today, entity, roles)
        if len(roles) > 1:
            role = st.segmented_control(
                say("app.entity.role"), roles, default=first, label_visibility="collapsed", required=True,
                format_func=lambda one: say(f"today.role.{one.replace(' ', '_')}"),
            )  # fmt: skip
    strip = today.strip(visit.store, role, entity)
    seen = [day for day in strip if day.row_id]
    wished = st.query_params.get("day", "")
    chosen = next((day for day in seen if str(day.day) == wished), seen[-1])
    st.caption(_facts(visit, today, role, entity, seen))
    if _wants_rule():
        _rules(visit, today, chosen, role, entity)
    _lanes(strip, say)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _day(visit, today, chosen, role, entity)
        _events(visit, entity, _columns_of(entity, [role]), chosen.day)
    with right:
        if not _wants_rule():
            _rules(visit, today, chosen, role, entity)
        _in_cases(visit, entity)
        _met(visit, entity, _columns_of(entity, [role]), chosen.day)


def _first_role(visit: Visit, today: Today, entity: str, roles: list[str]) -> str:
    """Return the role that the address names, else the one in which most stood out on the day, or on any."""
    wished, day = st.query_params.get("role", ""), st.query_params.get("day", "")
    if wished in roles:
        return wished

    def told(role: str) -> tuple[float, float]:
        days = today.strip(visit.store, role, entity)
        return max((d.score for d in days if str(d.day) == day), default=0.0), max(d.score for d in days)

    return max(roles, key=told)


def _facts(visit: Visit, today: Today, role: str, entity: str, seen: list[DayOfEntity]) -> str:
    say = visit.say
    known = today.refresh(visit.store).context.of(entity)
    parts = [say(f"today.role.{role.replace(' ', '_')}"), say("today.first_day", day=short_day(seen[0].day, say))]
    parts += [say("app.entity.days", n=len(seen))]
    parts += [say("today.owner", owner=plain(known.owner))] if known.owner else []
    parts += [plain(known.peer_group)] if known.peer_group else []
    return " · ".join(parts)


def _lanes(strip: list[DayOfEntity], say: Words) -> None:
    """Draw a lane a family, a mark a day, its size how much the family says."""
    marks = [
        {"day": short_day(day.day, say), "family": say(f"daily.family.{family}"), "said": score}
        for day in strip
        for family, score in day.families
    ]
    if not marks:
        st.caption(say("app.entity.quiet"))
        return
    days = [short_day(day.day, say) for day in strip]
    chart = (
        alt.Chart(pd.DataFrame(marks), height=alt.Step(26))
        .mark_circle(opacity=0.85)
        .encode(
            x=alt.X("day:O", scale=alt.Scale(domain=days), title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("family:N", title=None, sort="-x", axis=alt.Axis(labelLimit=240)),
            size=alt.Size("said:Q", legend=None, scale=alt.Scale(domain=[0, 5], range=[10, 420])),
            tooltip=[
                alt.Tooltip("day:O", title=say("app.entity.day")),
                alt.Tooltip("family:N", title=say("app.rules.family")),
            ],
        )
    )
    draw_chart(chart, say)


def _day(visit: Visit, today: Today, chosen: DayOfEntity, role: str, entity: str) -> None:
    say = visit.say
    heading(day_text(chosen.day, say))
    listed = today.of(visit.store, str(chosen.day), shown=1_000)
    row = next((one for one in listed.rows if one.row_id == chosen.row_id), None)
    if row is None:
        st.caption(say("app.entity.ordinary"))
        return
    st.text(row_in_words(row, say))
    alike = [r for r in listed.rows if r.role == role and r.entity != entity and r.reasons
             and r.reasons[0].reason.column == row.reasons[0].reason.column]  # fmt: skip
    if alike:
        names = ", ".join(_linked(visit, one.entity, day=str(chosen.day), role=role) for one in alike[:8])
        st.caption(say("app.entity.peers", n=len(alike), names=names))


def _rules(visit: Visit, today: Today, chosen: DayOfEntity, role: str, entity: str) -> None:
    say, store = visit.say, visit.store
    heading(say("app.rules.title"))
    mine = rules_about(store.rules.all(dataset=visit.dataset), role, entity)
    draw_rules(mine, today, store, say, by=visit.analyst if visit.may_write else "")
    if not mine:
        st.caption(say("app.rules.none"))
    row = next((r for r in today.of(store, str(chosen.day), shown=1_000).rows if r.row_id == chosen.row_id), None)
    if row is not None and row.reasons and visit.may_write:
        rule_form(visit, today, row, chosen.day, opened=_wants_rule())


def _wants_rule() -> bool:
    """Say whether the page was opened to make a rule: the form is then above all else, on a telephone too."""
    return bool(st.query_params.get("rule"))


def _in_cases(visit: Visit, entity: str) -> None:
    found = [case for case in Cases(visit.store).all() if entity in case.entities]
    if found:
        heading(visit.say("app.cases.title"))
    for case in found:
        address = link("cases", dataset=visit.dataset, case=case.id)
        st.caption(f"[{case.id} · {plain(case.title)}]({address}) · {visit.say(f'app.cases.state.{case.state}')}")


def _met(visit: Visit, entity: str, columns: dict[str, str], day: date) -> None:
    """Say whom the entity met on the day: addresses, accounts and hosts of its first events."""
    say = visit.say
    page = event_page(visit.dataset, entity=columns, first=day, limit=200, project=visit.project)
    found = {}
    for name in _MET:
        if name in page.columns and name not in columns:
            counts = page.rows[name].dropna().astype(str).value_counts()
            found[name] = [_linked(visit, value, day=str(day)) for value in counts.index[:8]]
    if not found:
        return
    heading(say("app.entity.met"))
    st.caption(say("app.entity.met_about", n=len(page.rows)))
    for name, values in found.items():
        st.caption(pair(title(name, say), ", ".join(values), say))


def _linked(visit: Visit, entity: str, **about: str) -> str:
    """Return the link to an entity's page, as Markdown."""
    return f"[{plain(entity)}]({link('entity', dataset=visit.dataset, entity=entity, **about)})"


def _events(visit: Visit, entity: str, columns: dict[str, str], day: date | None) -> None:
    say = visit.say
    heading(say("today.events.title"))
    days = kept_today(visit.project, visit.dataset).refresh(visit.store).days
    if day is None and not days:
        return
    first, last = (day, day) if day is not None else (days[0].day, days[-1].day)
    number = st.session_state.get("entity_page", 1)
    page = event_page(
        visit.dataset, entity=columns, first=first, last=last, offset=(int(number) - 1) * _SIZE, limit=_SIZE,
        project=visit.project,
    )  # fmt: skip
    if not page.total:
        st.caption(say("today.events.none"))
        return
    shown = say(
        "today.events.shown", first=say.number(page.offset + 1), last=say.number(page.offset + len(page.rows)),
        n=say.number(page.total),
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(shown, width="content")
        if page.total > _SIZE:
            st.number_input(say("app.entity.page"), 1, -(-page.total // _SIZE), key="entity_page", width=140)
    ports = {title(name, say) for name in TOLD if name.endswith("_port")}
    draw_table(_table(page, say), say, plain=ports)


def _table(page: EventPage, say: Words) -> pd.DataFrame:
    names = [name for name in TOLD if name in page.columns]
    columns = {say("app.triage.related.time"): page.rows["time"].dt.strftime(say("app.time"))}
    for name in names:
        column = page.rows[name]
        columns[title(name, say)] = (
            column
            if pd.api.types.is_numeric_dtype(column)
            else column.map(lambda v: visible_line(v) if isinstance(v, str) else "")
        )
    return pd.DataFrame(columns)


def _columns_of(entity: str, roles: list[str]) -> dict[str, str]:
    return {COLUMN_OF_ROLE[role.split(" ", maxsplit=1)[0]]: entity for role in roles}


open_day_page(_entity)
