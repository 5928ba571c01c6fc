"""The tables of routes, upstreams and containers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dockerproxy.commands.asking.report import Row
from dockerproxy.commands.terminal.phrases import clean, clean_line, count, duration, left_until, milliseconds, moment

BAD, ODD, FAINT, STRONG = "red", "yellow", "dim", "bold"
_INDENT = (0, 0, 0, 2)
# Columns that the state and the numbers of a route want: `1 up, 1 benched`, and three numbers.
_BESIDE_ROUTES = 48
_STATES = {"up": "green", "benched": BAD, "probation": ODD, "draining": ODD}


def routes_table(rows: Sequence[Row], now: datetime, width: int) -> Table:
    """Where a route is stands beside its name if that fits, else below it.

    now: the proxy's time; width: columns of the terminal
    """
    names, places = [_name(row["name"]) for row in rows], [_where(row) for row in rows]
    beside = max(map(_columns, names)) + max(map(_columns, places)) + _BESIDE_ROUTES <= width
    table = plain_table(*(("ROUTE", "WHERE") if beside else ("ROUTE",)), "STATE", right=("REQUESTS", "ERRORS", "P95"))
    for row, name, place in zip(rows, names, places, strict=True):
        table.add_row(
            *((name, place) if beside else (Group(name, Padding(place, _INDENT)),)),
            _route_state(row, now),
            f"{row['requests']:,}",
            _errors(row["errors_shown"]),
            milliseconds(row["latency_seconds"]["p95"] if row["requests"] else None),
        )
    return table


def upstreams_table(rows: Iterable[Row], now: datetime) -> Table:
    """Route by route. now: the proxy's time"""
    table = plain_table("UPSTREAM", "STATE", right=("WEIGHT", "NOW", "OK", "ERRORS"))
    before = None
    for row in rows:
        if row["route"] != before:
            table.add_row(_name(row["route"]))
        table.add_row(
            Padding(_upstream(row), _INDENT),
            upstream_state(row, now),
            _weight(row),
            f"{row['in_flight']:,}",
            f"{row['used_successfully']:,}",
            _errors(row["error_counter"]),
        )
        before = row["route"]
    return table


def routed_table(rows: Iterable[Row]) -> Table:
    """Containers that are routed, with what is wrong all the same."""
    table = plain_table("CONTAINER", "STATE", "ROUTES", "ADDRESS")
    for row in rows:
        name = _name(row["name"])
        state = Text(clean(row.get("state") or "running"))
        for reason in row["reasons"]:
            name.append(f"\n{clean_line(reason)}", ODD)
        table.add_row(name, state, Text(clean(", ".join(row["routes"]))), Text(clean(row["address"])))
    return table


def upstream_state(row: Row, now: datetime) -> Text:
    """The state in a word, when it ends, and whether an operator has set it."""
    state = str(row["state"])
    words = Text.assemble((clean(state), _STATES.get(state, "")))
    left = left_until(row.get("benched_until"), now)
    if left and state == "benched":
        words.append(f", {duration(left)} left")
    # Nobody has been there yet, so that it is not certain that anybody listens.
    if state == "up" and row.get("used_successfully") == 0 == row.get("error_counter"):
        words.append(", not tried yet", FAINT)
    drained = (row.get("overrides") or {}).get("drained")
    if drained:
        words.append(f"\nby hand since {moment(drained['since'], now)}", FAINT)
    return words


def override_words(overrides: Row, now: datetime) -> Iterable[str]:
    """What an operator has set for a route."""
    maintenance, paused = overrides.get("maintenance"), overrides.get("paused")
    if maintenance:
        message = f": {maintenance['message']}" if maintenance.get("message") else ""
        yield clean(f"maintenance since {moment(maintenance['since'], now)}{message}")
    if paused:
        yield f"paused, {duration(left_until(paused['until'], now))} left"


def plain_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table: columns of text, then of numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=FAINT, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", min_width=len(column))
    for column in right:
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    return table


def _name(text: str) -> Text:
    return Text.assemble((clean(text), STRONG))


def _columns(text: Text) -> int:
    """Columns of the longest line."""
    return max(line.cell_len for line in text.split(allow_blank=True))


def _where(row: Row) -> Text:
    """Without the scheme and the port of the listen address: they may be others on the way to a browser."""
    path = str(row["path"]).removesuffix("/*").replace("~", " ~", 1)
    methods = f" {','.join(row['methods'])}" if row["methods"] else ""
    lines = [f"{host}{path}{methods}" for host in row["hosts"] or ["every domain"]]
    text = Text(clean("\n".join(lines)))
    if row["kind"] == "handler":
        text.append(f"\n{clean(row['handler']['name'])}", FAINT)
    return text


def _route_state(row: Row, now: datetime) -> Text:
    text = Text("handler") if row["kind"] == "handler" else _upstreams_in_brief(row["upstreams"])
    if row.get("held_now"):
        text.append(f"\n{count(row['held_now'], 'request')} held", ODD)
    for words in override_words(row.get("overrides") or {}, now):
        text.append(f"\n{words}", ODD)
    return text


def _upstream(row: Row) -> Text:
    text = Text(clean(row["name"]))
    text.append(f"\n{clean(row['url'])}", FAINT)
    if row.get("last_error"):
        text.append(f"\n{clean(row['last_error'])}", BAD)
    return text


def _upstreams_in_brief(upstreams: Sequence[Row]) -> Text:
    if not upstreams:
        return Text("no upstream", BAD)
    numbers: dict[str, int] = dict.fromkeys(_STATES, 0)
    for upstream in upstreams:
        numbers[upstream["state"]] = numbers.get(upstream["state"], 0) + 1
    parts = [Text(f"{number} {clean(state)}", _STATES.get(state, "")) for state, number in numbers.items() if number]
    return Text(", ").join(parts)


def _errors(number: int) -> Text:
    return Text(f"{number:,}", BAD if number else "")


def _weight(row: Row) -> Text:
    text = Text(str(row["weight"]))
    if (row.get("overrides") or {}).get("weight"):
        text.append("\nby hand", FAINT)
    return text
