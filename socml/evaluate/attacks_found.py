"""Ground truth → attacks (campaigns, not events), and which rows of the daily list show each of them.

An attack is one family of behaviour from one source, or, where more than three outside sources take part on one day,
the family on that day. Where no event of a family names a source on a day, as of a document that starts programs, the
host whose log tells of it is its source. An attack shows in the row of its source; in the row of an account that it
entered; and, if it has many sources, in the row of the machine that it was aimed at. So a busy server at the top of
every list finds nothing by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow.dataset as ds

from socml.features import is_inside_sql
from socml.project import Project, open_events, sealed_connection, truth_path

MANY_SOURCES = 3  # outside sources a day, above which they are one attack


@dataclass(frozen=True)
class FoundAttacks:
    """How many attacks stood in the first rows of their own days.

    Attributes
    ----------
    best : attack → best place in a day's list, counted from 1; 0 if no list of its days has it
    false_rows : rows that were no attack among the first ones, mean a day
    """

    best: dict[str, int]
    false_rows: float

    def within(self, rows: int) -> int:
        """Return the number of attacks in the first `rows` of a day."""
        return sum(0 < place <= rows for place in self.best.values())


def attack_rows(dataset: str, *, project: Project) -> pd.DataFrame:
    """Return which rows show which attack: columns day, role, entity, attack, family; empty without ground truth."""
    columns = ["day", "role", "entity", "attack", "family"]
    if not truth_path(project, dataset).is_file():
        return pd.DataFrame(columns=columns)
    tables = {"stored_events": open_events(project, dataset), "truth": ds.dataset(truth_path(project, dataset))}
    sql = f"""
        select distinct cast(time as date) as day, source_ip, destination_ip, host_name,
               coalesce(class_uid = 4001, false) as is_flow,
               case when class_uid = 3002 and event_outcome = 'success' then lower(user_name) end as account,
               coalesce(family, 'attack') as family, coalesce({is_inside_sql("source_ip")}, true) as source_inside
        from stored_events join truth using (event_id)
        where malicious and time is not null and coalesce(source_ip, host_name) is not null"""  # noqa: S608
    with sealed_connection(tables, memory_limit=project.memory_limit, threads=project.threads) as connection:
        events = connection.sql(sql).to_arrow_table().to_pandas()
    if events.empty:
        return pd.DataFrame(columns=columns)
    named = pd.MultiIndex.from_frame(events[events["source_ip"].notna()][["family", "day"]])
    has_source = pd.MultiIndex.from_frame(events[["family", "day"]]).isin(named)
    events = events[events["source_ip"].notna() | ~has_source].copy()
    events["origin"] = events["source_ip"].fillna(events["host_name"])
    outside = (
        events[events["source_ip"].notna() & ~events["source_inside"]].groupby(["family", "day"])["source_ip"].nunique()
    )
    many = pd.MultiIndex.from_frame(events[["family", "day"]]).isin(outside[outside > MANY_SOURCES].index)
    events["attack"] = events["family"] + " " + np.where(many, events["day"].astype(str), events["origin"])
    shown = [events.assign(role="source", entity=events["source_ip"])]
    shown.append(events.assign(role="account", entity=events["account"]))
    shown.append(events[events["source_ip"].isna()].assign(role="host", entity=events["host_name"]))
    aimed = events[many]
    flows = aimed[aimed["is_flow"]]
    shown.append(flows.assign(role="destination", entity=flows["destination_ip"]))
    shown.append(aimed.assign(role="host", entity=aimed["host_name"]))
    rows: pd.DataFrame = pd.concat(shown).dropna(subset=["entity"])[columns].drop_duplicates()
    rows["day"] = [day.date() if isinstance(day, pd.Timestamp) else day for day in rows["day"]]
    return rows.reset_index(drop=True)


def find_attacks(
    lists: pd.DataFrame, truth: pd.DataFrame, *, rows: int = 20, days: Sequence[date] | None = None
) -> FoundAttacks:
    """Return where the attacks stand in the lists.

    Parameters
    ----------
    lists : columns day, role ("source inside"), entity, place (1 the first of its day)
    truth : as `attack_rows` gives it
    days : only these days, and the attacks of them; all if not given
    """
    wanted = sorted(set(lists["day"])) if days is None else list(days)
    lists, truth = lists[lists["day"].isin(wanted)], truth[truth["day"].isin(wanted)]
    # an empty list has columns of no type
    keyed = lists.astype({"day": object, "role": object, "entity": object})
    keyed["role"] = [str(role).split(" ", maxsplit=1)[0] for role in keyed["role"]]
    met = keyed.merge(truth, on=["day", "role", "entity"])
    best = met.groupby("attack")["place"].min()
    first = keyed[keyed["place"] <= rows]
    true_rows = pd.MultiIndex.from_frame(truth[["day", "role", "entity"]])
    false = ~pd.MultiIndex.from_frame(first[["day", "role", "entity"]]).isin(true_rows)
    return FoundAttacks(
        best={str(attack): int(best.get(attack, 0)) for attack in sorted(set(truth["attack"]))},
        false_rows=float(false.sum() / max(1, len(wanted))),
    )
