"""What `explain` tells: the verdict first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from dockerproxy.commands.asking.report import Row
from dockerproxy.commands.terminal.phrases import clean_line
from dockerproxy.commands.terminal.tables import BAD, FAINT, ODD, STRONG, override_words, plain_table, upstream_state

GOOD = "green"
_GOOD_CODES = (None, "", "routed", "https_required", "slash_missing")
_MOST_CANDIDATES = 10
_COMMAND = "run: "


def container_story(answer: Row) -> Iterable[RenderableType]:
    """Why a container is routed or not."""
    yield from _verdict(answer, good=answer.get("code") in _GOOD_CODES, there=answer["routed"])
    yield from _reasons(answer)
    if answer.get("routes"):
        yield _title("Routes")
        for route in answer["routes"]:
            yield from _route(route)
    yield from _labels(answer.get("labels") or ())
    yield from _notes(answer)


def url_story(answer: Row) -> Iterable[RenderableType]:
    """Where a request would go."""
    yield from _verdict(answer, good=answer.get("code") in _GOOD_CODES, there=answer["route"] is not None)
    yield from _reasons(answer)
    for words in override_words(answer.get("overrides") or {}, datetime.now(UTC)):
        yield Text(f"{answer['route']}: {words}", ODD)
    yield from _candidates(answer.get("candidates") or ())
    if answer.get("upstreams"):
        yield _title(f"Upstreams of {clean_line(answer['route'])}")
        yield Padding(_upstreams(answer["upstreams"]), (0, 0, 0, 2), expand=False)
    yield from _notes(answer)


def _reasons(answer: Row) -> Iterable[RenderableType]:
    reasons = answer.get("reasons") or ()
    if reasons:
        yield _title("What to change")
    for reason in reasons:
        yield _entry(Text(clean_line(reason["text"])))
        for step in _steps(clean_line(reason.get("mend") or "")):
            if _COMMAND in step:  # left to the terminal to break, so that it can be copied whole
                yield Text(f"    {step}", STRONG, no_wrap=True)
            else:
                yield _entry(Text(step, STRONG), indent=4)


def _steps(mend: str) -> list[str]:
    """A line for each command in it, and the words before and after it."""
    steps: list[str] = []
    for part in filter(None, mend.split("; ")):
        alone = not steps or _COMMAND in part or _COMMAND in steps[-1]
        steps[len(steps) if alone else -1 :] = [part if alone else f"{steps[-1]}; {part}"]
    return steps


def _candidates(candidates: Sequence[Row]) -> Iterable[RenderableType]:
    """The one that matched, and as many of the others as a person looks at."""
    if not candidates:
        return
    shown = [found for place, found in enumerate(candidates) if place < _MOST_CANDIDATES or found["matched"]]
    yield _title("Candidates, the most specific first")
    table = plain_table("ROUTE", "PLACE", "MATCH", "WHY")
    for found in shown:
        word = Text("yes", GOOD) if found["matched"] else Text("no", FAINT)
        table.add_row(clean_line(found["route"]), clean_line(found["place"]), word, clean_line(found["why"]))
    yield Padding(table, (0, 0, 0, 2), expand=False)
    if len(shown) < len(candidates):
        yield _entry(Text(f"and {len(candidates) - len(shown)} more that do not match: --json lists them", FAINT))


def _notes(answer: Row) -> Iterable[RenderableType]:
    notes = answer.get("notes") or ()
    if notes:
        yield _title("Mind that")
    for note in notes:
        yield _entry(Text(clean_line(note), FAINT))


def _verdict(answer: Row, good: bool, there: bool) -> Iterable[RenderableType]:
    """there: whether it is routed at all, well or not"""
    colour = BAD if not there else GOOD if good else ODD
    yield Text(clean_line(answer["verdict"]), f"{STRONG} {colour}")
    if answer.get("code"):
        yield Text(f"code {clean_line(answer['code'])}: docs/why.md#{clean_line(answer['code'])}", FAINT)


def _title(text: str) -> RenderableType:
    return Padding(Text(text, STRONG), (1, 0, 0, 0), expand=False)


def _entry(text: Text, indent: int = 2) -> RenderableType:
    return Padding(text, (0, 0, 0, indent), expand=False)


def _route(route: Row) -> Iterable[RenderableType]:
    path = str(route.get("path") or "").removesuffix("/*")
    where = ", ".join(f"{host}{path}" for host in route.get("hosts") or ()) or f"every domain{path}"
    methods = f" {','.join(route['methods'])}" if route.get("methods") else ""
    line = Text.assemble((clean_line(route["route"]), STRONG), clean_line(f" at {where}{methods}"))
    if route.get("address"):
        line.append(clean_line(f" -> {route['address']}"))
    if route.get("state"):
        line.append(clean_line(f", {route['state']}"))
    yield _entry(line)
    for why in (route.get("why_network"), route.get("why_port")):
        if why:
            yield _entry(Text(clean_line(why), FAINT), indent=4)


def _labels(labels: Sequence[Row]) -> Iterable[RenderableType]:
    for use, title in (("ignored", "Labels that are not used"), ("read", "Labels that are used")):
        found = [label for label in labels if label["use"] == use]
        if not found:
            continue
        yield _title(title)
        table = plain_table("LABEL", "VALUE", "WHY" if use == "ignored" else "MEANING")
        for label in found:
            told = str(label.get("reason") or label.get("meaning") or "")
            guess = label.get("did_you_mean")
            if guess and guess not in told:
                told += f"; did you mean {guess}?"
            table.add_row(clean_line(label["label"]), clean_line(label["value"]), clean_line(told))
        yield Padding(table, (0, 0, 0, 2), expand=False)


def _upstreams(upstreams: Sequence[Row]) -> RenderableType:
    table = plain_table("UPSTREAM", "STATE", "LAST ERROR")
    for upstream in upstreams:
        row = {**upstream, "benched_until": upstream.get("until")}
        name = Text(clean_line(upstream["name"]))
        name.append(f"\n{clean_line(upstream['url'])}", FAINT)
        table.add_row(name, upstream_state(row, datetime.now(UTC)), Text(clean_line(upstream.get("last_error") or "")))
    return table
