"""Middlewares as a person writes them: their names in an option, and what a name stands for. Loaded elsewhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dockerproxy.settings.values import NONE, split_list

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# The shipped ones that let pass whatever would pass without them; whoever gets past one of these has gained nothing.
_HARMLESS = frozenset({"body_limit", "compress", "error_pages", "gzip", "security_headers"})


def parse_middlewares(value: Any) -> tuple[str, ...]:
    """Names in order, from `gzip,auth` or a list; `none` or nothing for none. Raises ValueError."""
    if isinstance(value, Mapping):
        message = "expected names such as gzip,auth; what a name stands for is said in define_middlewares"
        raise ValueError(message)  # noqa: TRY004  # pydantic takes no TypeError
    names = tuple(str(item) for item in split_list(value))
    if names == (NONE,):
        return ()
    for name in names:
        parse_name(name)
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is there twice; write each name once")
    return names


def parse_name(value: Any) -> str:
    """One name. Raises ValueError."""
    if not _NAME.fullmatch(str(value)) or str(value) == NONE:
        raise ValueError(f"{value!r} is no name of a middleware; write letters, digits, `_`, `-` and `.`, as in auth")
    return str(value)


class MiddlewareSettings(BaseModel):
    """What a name stands for: a middleware, and the options that it is made with."""

    model_config = ConfigDict(frozen=True, extra="allow")

    use: str = Field(
        "", description="a shipped middleware, one of an installed package, or `module:name`; default: its own name"
    )

    @property
    def options(self) -> dict[str, Any]:
        """All keys beside `use`, unchecked."""
        return dict(self.model_extra or {})


def harmless(defined: Mapping[str, MiddlewareSettings], others: Collection[str] = ()) -> frozenset[str]:
    """The names of middlewares that guard nothing.

    others: names that stand for something else than what is shipped under them
    """
    shipped = _HARMLESS.difference(others)
    named = {name for name, definition in defined.items() if (definition.use or name) in shipped}
    return shipped.difference(defined) | named
