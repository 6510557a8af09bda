"""The daily list → a terminal or JSON: whom to look at today, and why."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from socml.cli._output import as_json, note, say, step
from socml.project import ConfigurationError, Run, find_project, visible_line, words

if TYPE_CHECKING:
    from socml.evaluate import FoundAttacks
    from socml.jobs import DailyList, Listing, RankedDay, RankedHour
    from socml.project import Project

SHOWN = 20
SHOWN_AN_HOUR = 5


def run_daily(
    experiment: str,
    paths: list[Path] | None,
    *,
    day: str = "",
    top: int = SHOWN,
    json_: bool = False,
    project: Project | None = None,
) -> Run:
    """Make the list, keep the day as a scoring run, print it, and return what its run.json says."""
    from socml.evaluate import attack_rows, find_attacks
    from socml.jobs import daily_list, store_day

    project = project or find_project()
    dataset, model = _prepared(experiment, paths, project)
    with step("building the daily tables"):
        listed = daily_list(
            dataset,
            project=project,
            model=model,
            step=lambda at, done, n: note(f"  {at} ({done + 1} of {n})"),
            whole=day,
        )
    ranked = listed.of(day or None)
    attacks = attack_rows(dataset, project=project)
    run = store_day(listed, ranked, project=project, attacks=attacks)
    found = find_attacks(listed.frame(), attacks, rows=SHOWN) if len(attacks) else None
    if json_:
        as_json(_plain(listed, ranked, run, found, top))
    else:
        _print(listed, ranked, found, top, project.language)
    return run


def run_hours(
    experiment: str,
    paths: list[Path] | None,
    *,
    day: str = "",
    top: int = SHOWN_AN_HOUR,
    json_: bool = False,
    project: Project | None = None,
) -> None:
    """Print the first rows of each hour of a day that has events."""
    from socml.jobs import hourly_list, open_listing

    project = project or find_project()
    dataset, model = _prepared(experiment, paths, project)
    with step("building the tables of the hours"):
        listing = open_listing(dataset, project=project, model=model)
        ranked = hourly_list(dataset, project=project, day=day or None, listing=listing)
    if json_:
        as_json({"dataset": dataset, "hours": [_plain_hour(hour, listing, top) for hour in ranked]})
        return
    phrases, by_name = words(project.language), {column.name: column for column in listing.columns}
    for hour in ranked:
        rows = _first_rows(hour, top)
        say(f"\n{hour.begin:%Y-%m-%d %H:00}" + ("" if rows else f"  {phrases('daily.nothing')}"))
        for place, row in enumerate(rows, 1):
            role = phrases(f"daily.role.{str(hour.scores.role[row]).replace(' ', '_')}")
            say(f"{place:>3}. {visible_line(str(hour.scores.entity[row]))} ({role})")
            for reason in hour.reasons(listing, row)[:2]:
                say(f"       {reason.part:4.1f}  {reason.in_words(by_name[reason.column], phrases)}")


def _plain_hour(hour: RankedHour, listing: Listing, top: int) -> dict[str, object]:
    rows = [
        {
            "place": place,
            "entity": str(hour.scores.entity[row]),
            "role": str(hour.scores.role[row]),
            "score": float(hour.scores.score[row]),
            "reasons": [asdict(reason) for reason in hour.reasons(listing, row)],
        }
        for place, row in enumerate(_first_rows(hour, top), 1)
    ]
    return {"begin": hour.begin.isoformat(), "list": rows}


def _first_rows(hour: RankedHour, top: int) -> list[int]:
    return [int(row) for row in hour.order[:top] if hour.scores.score[row] > 0]


def _prepared(experiment: str, paths: list[Path] | None, project: Project) -> tuple[str, str]:
    """Ingest what is to be read first; return the dataset and the model of an experiment."""
    from socml.evaluate import prepare_dataset, read_logs
    from socml.project import load_experiment_recipe, recipe_names

    recipe = load_experiment_recipe(experiment, project)
    dataset, files = _dataset_of(recipe.dataset, paths, project)
    if dataset in recipe_names("datasets", project):
        prepare_dataset(dataset, project=project, paths=files, step=step)
    elif files:
        read_logs(files, dataset, project, step)
    return dataset, recipe.model


def _dataset_of(default: str, paths: list[Path] | None, project: Project) -> tuple[str, list[Path] | None]:
    """Return the dataset and the files to ingest first: `daily`, `daily DATASET` or `daily DATASET FILE …`."""
    from socml.project import dataset_names, recipe_names

    if not paths:
        return default, None
    name, *files = paths
    known = {*dataset_names(project), *recipe_names("datasets", project)}
    if str(name) not in known and (name.exists() or not files):
        raise ConfigurationError(
            f"{str(name)!r} is no dataset. Write the dataset first, then its files: socml run daily office {name}"
        )
    return str(name), [path.absolute() for path in files] or None


def _print(listed: DailyList, ranked: RankedDay, found: FoundAttacks | None, top: int, language: str) -> None:
    from socml.review import rarity_in_words

    phrases = words(language)
    rows = ranked.listed(top).tolist()
    by_name = {column.name: column for column in listed.columns}
    say("\n" + phrases("daily.title", day=ranked.day, rows=phrases.number(len(ranked.order)), shown=len(rows)) + "\n")
    for place, (row, reasons) in enumerate(zip(rows, listed.reasons(ranked, rows), strict=True), 1):
        entity = str(ranked.scores.entity[row])
        known = listed.context.of(entity)
        extra = [rarity_in_words(float(ranked.scores.once_in[row]), phrases)]
        extra += [phrases("daily.owner", owner=known.owner)] if known.owner else []
        extra += [phrases("daily.watched")] if known.watch else []
        role = phrases(f"daily.role.{str(ranked.scores.role[row]).replace(' ', '_')}")
        say(f"{place:>3}. {visible_line(entity)} ({role}): {', '.join(extra)}")
        for reason in reasons[:3]:
            say(f"       {reason.part:4.1f}  {reason.in_words(by_name[reason.column], phrases)}")
    striking = sorted(listed.days, key=lambda other: -float(other.learned.score.max(initial=0.0)))[:5]
    counts = {other.day: len(other.listed(top)) for other in striking if other.day != ranked.day}
    said_days = [f"{day} ({n})" for day, n in counts.items() if n]
    if not rows:
        say(phrases("daily.nothing"))
    if "source outside" in listed.roles and "source inside" not in listed.roles:
        say(phrases("daily.no_inside"))
    if said_days:
        say("\n" + phrases("daily.other_days", days=", ".join(said_days)))
    if listed.absent:
        say("\n" + phrases("daily.absent", sets=", ".join(listed.absent)))
    if found is not None:
        say("\n" + phrases("daily.attacks", found=found.within(SHOWN), n=len(found.best), rows=SHOWN))


def _plain(listed: DailyList, ranked: RankedDay, run: Run, found: FoundAttacks | None, top: int) -> dict[str, object]:
    rows = ranked.listed(top).tolist()
    lines = [
        {
            "place": place,
            "row_id": ranked.row_id[row],
            "entity": ranked.scores.entity[row],
            "role": ranked.scores.role[row],
            "owner": listed.context.of(str(ranked.scores.entity[row])).owner or None,
            "score": float(ranked.learned.score[row]),
            "once_in_entity_days": float(ranked.scores.once_in[row]),
            "reasons": [asdict(reason) for reason in reasons],
        }
        for place, (row, reasons) in enumerate(zip(rows, listed.reasons(ranked, rows), strict=True), 1)
    ]
    attacks = None if found is None else {"of": len(found.best), "in_first_rows": found.within(SHOWN), "rows": SHOWN}
    about = {"dataset": listed.dataset, "day": str(ranked.day), "days": [str(d.day) for d in listed.days]}
    return {**about, "run": run, "list": lines, "absent": list(listed.absent), "attacks": attacks}
