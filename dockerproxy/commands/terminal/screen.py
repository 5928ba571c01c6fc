"""Screen: what a person sees, drawn by rich. It fits 80 columns; a state is a word, in colour where there are any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from dockerproxy.commands.asking.report import Report, Row, is_missing, is_own
from dockerproxy.commands.terminal.explanation import container_story, url_story
from dockerproxy.commands.terminal.phrases import clean, clean_line, count
from dockerproxy.commands.terminal.tables import BAD, FAINT, ODD, STRONG, routed_table, routes_table, upstreams_table
from dockerproxy.commands.terminal.trimmed import Trimmed

# How what an operator has set is undone, by its kind in the report.
_UNDO = {
    "drain": "undrain {upstream} --route {route}",
    "weight": "weight {upstream} reset --route {route}",
    "maintenance": "maintenance {route} off",
    "pause": "resume {route}",
}


_UNLABELLED = "Those without a label are not shown: `dockerproxy explain NAME` says more"


class Screen:
    """The terminal. NO_COLOR, COLUMNS and TERM are respected, as rich does."""

    def __init__(self, console: Console | None = None) -> None:
        # Names come from labels, so nothing in them is markup.
        self.console = console or Console(highlight=False, markup=False, emoji=False)

    def say(self, line: str, style: str = "", indent: int = 0) -> None:
        """One line, or several, of plain text."""
        self._print(Padding(Text(clean(line), style), (0, 0, 0, indent), expand=False))

    def lines(self, lines: Iterable[str]) -> None:
        """Several lines of plain text."""
        for line in lines:
            self.say(line)

    def routes(self, report: Report, rows: Sequence[Row]) -> None:
        """The routes; below them what else a person should know."""
        if rows:
            self._print(routes_table(rows, report.now, self.console.width))
        else:
            self.say("No routes: label a container, or `dockerproxy add`.")
        self._notes(_route_notes(report, rows))

    def upstreams(self, report: Report, rows: Sequence[Row]) -> None:
        """The upstreams, route by route."""
        if rows:
            self._print(upstreams_table(rows, report.now))
        else:
            self.say("No upstreams: label a container, or `dockerproxy add`.")
        self._notes(_discovery_notes(report))

    def containers(self, report: Report, rows: Sequence[Row]) -> None:
        """The containers that are not routed, each with its reasons; then those that are."""
        missing = [row for row in rows if is_missing(row)]
        left_out = [row for row in rows if not row["routed"] and not is_missing(row)]
        routed = [row for row in rows if row["routed"]]
        if not rows:
            self.say("No container has a label of dockerproxy's.")
        if missing:
            self.say(f"Not routed: {count(len(missing), 'container')}", f"{STRONG} {BAD}")
            for row in missing:
                self._reasons(row)
            self.say(f"The whole story of one: dockerproxy explain {missing[0]['name']}\n", FAINT)
        if left_out:
            self.say(f"Left out on purpose: {count(len(left_out), 'container')}", STRONG)
            for row in left_out:
                self._reasons(row)
            self.console.print()
        if routed:
            self._print(routed_table(routed))
        whole = [(_UNLABELLED, FAINT)] if len(rows) == len(report.discovery["containers"]) else []
        self._notes([*_discovery_notes(report), *whole])

    def container_story(self, answer: Row) -> None:
        """Why a container is routed or not."""
        self._tell(container_story(answer))

    def url_story(self, answer: Row) -> None:
        """Where a request would go."""
        self._tell(url_story(answer))

    def _tell(self, parts: Iterable[RenderableType]) -> None:
        for part in parts:
            if isinstance(part, Text) and part.no_wrap:
                self.console.print(part, soft_wrap=True)
            else:
                self._print(part)

    def _print(self, part: RenderableType) -> None:
        self.console.print(Trimmed(part), end="")

    def _reasons(self, row: Row) -> None:
        name = Text.assemble((clean(row["name"]), STRONG))
        if row.get("state"):
            name.append(f" ({clean(row['state'])})", FAINT)
        self._print(Padding(name, (0, 0, 0, 2), expand=False))
        for reason in row["reasons"] or ["the proxy gives no reason"]:
            self.say(clean_line(reason), indent=4)

    def _notes(self, notes: Iterable[tuple[str, str]]) -> None:
        found = list(notes)
        if found:
            self.console.print()
        for text, style in found:
            self.say(text, style)


def _route_notes(report: Report, rows: Sequence[Row]) -> Iterable[tuple[str, str]]:
    missing = sum(map(is_missing, report.containers()))
    if missing:
        verb = "is" if missing == 1 else "are"
        yield f"{count(missing, 'container')} {verb} not routed: `dockerproxy containers` says why", BAD
    yield from _discovery_notes(report)
    for override in report.idle_overrides():
        undo = _UNDO[override["kind"]].format_map(override)
        yield f"set, but nothing is there now that it applies to: `dockerproxy {undo}` undoes it", ODD
    hidden = sum(map(is_own, report.routes())) - sum(map(is_own, rows))
    if hidden:
        yield f"{count(hidden, 'route')} of the proxy itself: --all", FAINT


def _discovery_notes(report: Report) -> Iterable[tuple[str, str]]:
    discovery = report.discovery
    if discovery["state"] == "reconnecting":
        why = f": {discovery['error']}" if discovery.get("error") else ""
        yield f"the engine does not answer, so this may be out of date{why}", BAD
