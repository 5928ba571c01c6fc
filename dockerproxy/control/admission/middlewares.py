"""Which middlewares there are, and who asks for others. Pure.

A route is never served without a middleware that it names: it may be the one that asks for a password.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.errors import Problem, SettingsError
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Route
from dockerproxy.settings import Settings
from dockerproxy.settings.middlewares import harmless

_LABEL = "middlewares"


class MiddlewareSource(Protocol):
    """Whoever makes the middlewares that settings define."""

    def known(self, settings: Settings) -> Collection[str]:
        """The names that routes may have."""

    def harmless(self, settings: Settings) -> frozenset[str]:
        """The names of those that guard nothing."""

    def use(self, settings: Settings, names: Iterable[str]) -> None:
        """Make them, and those of these names. Raises SettingsError, and nothing has changed then."""


class NamesOnly:
    """For callers that serve nothing: what the settings define is known."""

    def known(self, settings: Settings) -> Collection[str]:
        return settings.define_middlewares.keys()

    def harmless(self, settings: Settings) -> frozenset[str]:
        return harmless(settings.define_middlewares)

    def use(self, settings: Settings, names: Iterable[str]) -> None:
        pass


def refuse_unknown(settings: Settings, routes: Iterable[Route], known: Collection[str]) -> None:
    """Raises SettingsError for names, in the settings or of static routes, that stand for nothing."""
    problems = [Problem(_LABEL, text) for text in _unknown(settings.middlewares, known)]
    if not problems:
        problems = [
            Problem(f"route {route.name!r}: {_LABEL}", text)
            for route in routes
            for text in _unknown(route.options.middlewares, known)
        ]
    if problems:
        raise SettingsError("settings", problems)


def why_unknown(names: Sequence[str], known: Collection[str]) -> str:
    """What is wrong with the first of these names that stands for nothing, or ""."""
    return next(_unknown(names, known), "")


def with_known(snapshots: Sequence[Snapshot], known: Collection[str], prefix: str) -> tuple[Snapshot, ...]:
    """The snapshots, without the wishes for middlewares that there are not; their containers are told.

    prefix: of the labels, for messages
    """
    return tuple(_with_known(snapshot, known, prefix) for snapshot in snapshots)


def _with_known(snapshot: Snapshot, known: Collection[str], prefix: str) -> Snapshot:
    for view in snapshot.containers:
        for wish in view.wishes:
            if _LABEL in wish.options and _asks_in_vain(wish, known):
                views = tuple(_view(view, known, prefix) for view in snapshot.containers)
                return replace(snapshot, containers=views)
    return snapshot


def _view(view: ContainerView, known: Collection[str], prefix: str) -> ContainerView:
    bad = [wish for wish in view.wishes if _asks_in_vain(wish, known)]
    if not bad:
        return view
    reasons = tuple(_reason(view, wish, known, prefix) for wish in bad)
    wishes = tuple(wish for wish in view.wishes if wish not in bad)
    return replace(view, wishes=wishes, reasons=(*view.reasons, *reasons))


def _asks_in_vain(wish: RouteWish, known: Collection[str]) -> bool:
    return any(name not in known for name in wish.options.get(_LABEL, ()))


def _reason(view: ContainerView, wish: RouteWish, known: Collection[str], prefix: str) -> Reason:
    named = f"{prefix}.{wish.route}.{_LABEL}"
    label = named if named in view.labels else f"{prefix}.{_LABEL}"
    what, _, mend = why_unknown(wish.options[_LABEL], known).partition("; ")
    return Reason(Code.UNKNOWN_MIDDLEWARE, f"{label}: {what}, so route {wish.route} is left out", mend, label=label)


def _unknown(names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, "define it under define_middlewares in the settings")
            yield f"there is no middleware {name!r}{hint}"
