"""Middlewares: the names that routes may have in `middlewares`, and what they stand for.

A name is looked up among what the settings define, what the program gives, what installed packages bring (entry points
of the group `dockerproxy.middlewares`), and what is shipped.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.errors import Problem, SettingsError
from dockerproxy.settings import MiddlewareSettings, Settings, problems_in
from dockerproxy.settings.middlewares import harmless
from dockerproxy.web.loading import load_object

GROUP = "dockerproxy.middlewares"

CallNext = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, CallNext], Awaitable[web.StreamResponse]]
Chain = tuple[tuple[str, Middleware], ...]  # names and middlewares, the outermost first

_HERE = "dockerproxy.web.middlewares"
SHIPPED: Mapping[str, str] = {
    "basic_auth": f"{_HERE}.basic_auth:BasicAuth",
    "body_limit": f"{_HERE}.body_limit:BodyLimit",
    "compress": f"{_HERE}.compress:Compress",
    "error_pages": f"{_HERE}.error_pages:ErrorPages",
    "forward_auth": f"{_HERE}.forward_auth:ForwardAuth",
    "gzip": f"{_HERE}.compress:Compress",
    "headers": f"{_HERE}.headers:Headers",
    "ip_allow": f"{_HERE}.ip_allow:IpAllow",
    "rate_limit": f"{_HERE}.rate_limit:RateLimit",
    "redirect": f"{_HERE}.redirect:Redirect",
    "security_headers": f"{_HERE}.security_headers:SecurityHeaders",
}
# For a function that was called to make a middleware, and may have been meant to be one.
_NOT_ASYNC = "; if it is a middleware itself, and does not make one of options, write `async def`"
WITHOUT_OPTIONS = frozenset({"compress", "gzip", "security_headers"})


class Middlewares:
    """All that routes may name.

    given: middlewares that the program gives, by name
    """

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._given = dict(given or {})
        self._made: dict[str, tuple[MiddlewareSettings | None, Middleware]] = {}
        self._chains: dict[tuple[str, ...], Chain] = {}
        self._all: list[Middleware] = []  # those too that a reload has replaced: they may be at work

    def __repr__(self) -> str:
        return f"<Middlewares: {', '.join(self._made) or 'none'} in use>"

    def known(self, settings: Settings) -> Collection[str]:
        """The names that routes may have."""
        return {*settings.define_middlewares, *self._given, *self._installed, *WITHOUT_OPTIONS}

    def harmless(self, settings: Settings) -> frozenset[str]:
        """The names of those that guard nothing."""
        return harmless(settings.define_middlewares, {*self._given, *self._installed})

    def use(self, settings: Settings, names: Iterable[str]) -> None:
        """From now on what these settings define counts; one whose definition is the same stays the same object, unless
        it has a method `outdated` that says that it has read files which have changed.

        names: of middlewares that are to be made now, beside those that are defined
        Raises SettingsError with every problem found, and nothing has changed then.
        """
        defined = settings.define_middlewares
        made: dict[str, tuple[MiddlewareSettings | None, Middleware]] = {}
        problems: list[Problem] = []
        for name in dict.fromkeys((*defined, *names)):
            definition, known = defined.get(name), self._made.get(name)
            if known is not None and known[0] == definition and not _outdated(known[1]):
                made[name] = known
                continue
            try:
                made[name] = definition, self._make(name, definition)
            except SettingsError as error:
                problems += error.problems
        if problems:
            raise SettingsError("settings", problems)
        old = [middleware for _, middleware in self._made.values()]
        self._all += [middleware for _, middleware in made.values() if middleware not in old]
        self._made, self._chains = made, {}

    def chain(self, names: tuple[str, ...]) -> Chain:
        """The middlewares of these names. Raises SettingsError for one that is not there, or cannot be made."""
        chain = self._chains.get(names)
        if chain is None:
            chain = self._chains[names] = tuple((name, self._find(name)) for name in names)
        return chain

    async def close(self) -> None:
        """Let go what they hold: each that has an async `close` is asked to."""
        for middleware in self._all:
            close = getattr(middleware, "close", None)
            if close is not None:
                await close()

    @cached_property
    def _installed(self) -> Mapping[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=GROUP)}

    def _find(self, name: str) -> Middleware:
        if name not in self._made:
            self._made[name] = None, self._make(name, None)
            self._all.append(self._made[name][1])
        return self._made[name][1]

    def _make(self, name: str, definition: MiddlewareSettings | None) -> Middleware:
        where = f"define_middlewares.{name}"
        if definition is None:
            return _made(self._target(name, name, where), {}, where)
        return _made(self._target(definition.use or name, name, where), definition.options, where)

    def _target(self, use: str, name: str, where: str) -> Any:
        """What `use` stands for. Raises SettingsError."""
        if use in self._given:
            return self._given[use]
        place = self._installed[use].value if use in self._installed else SHIPPED.get(use, use)
        if ":" in place:
            return _loaded(place, where)
        known = (*SHIPPED, *self._given, *self._installed)
        hint = did_you_mean(use, known, f"there are {', '.join(SHIPPED)}, or write module:name")
        key = where if use == name else f"{where}.use"
        raise SettingsError.at(key, f"there is no middleware {use!r}{hint}")


def _loaded(place: str, where: str) -> Any:
    try:
        return load_object(place, "middleware")
    except SettingsError as error:
        raise SettingsError.at(f"{where}.use", f"{place!r}: {error.problems[0]}") from None


def _made(target: Any, options: Mapping[str, Any], where: str) -> Middleware:
    """The middleware that `target` is, or makes of its options. Raises SettingsError."""
    model: Any = getattr(target, "Options", None)
    try:
        if model is not None:
            made = target(model.model_validate(options))
        elif is_middleware(target) and not options:
            made = target
        elif is_middleware(target):
            raise ValueError(f"it takes no options (found {', '.join(options)}); a function that makes one can")
        else:
            made = target(**options)
    except ValidationError as error:
        found = problems_in(error, model)
        raise SettingsError("settings", [_below(where, problem) for problem in found]) from None
    except Exception as error:
        hint = "" if options or isinstance(target, type) or not _takes_a_request(target) else _NOT_ASYNC
        raise SettingsError.at(where, f"cannot be made: {error}{hint}") from error
    if not is_middleware(made):
        message = f"{made!r} is no middleware; expected an `async def` that takes request and call_next"
        raise SettingsError.at(where, message)
    return made  # type: ignore[no-any-return]  # as just checked


def _outdated(middleware: Middleware) -> bool:
    asked = getattr(middleware, "outdated", None)
    return asked is not None and bool(asked())


def is_middleware(target: Any) -> bool:
    """Whether it can be called with a request and call_next, and waited for."""
    if isinstance(target, type) or not callable(target):
        return False
    if not (inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(type(target).__call__)):
        return False
    return _takes_a_request(target)


def _takes_a_request(target: Any) -> bool:
    """Whether it can be called with a request and call_next."""
    try:
        inspect.signature(target).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


def _below(where: str, problem: Problem) -> Problem:
    return Problem(f"{where}.{problem.where}" if problem.where else where, problem.message)
