"""The module `dockerproxy.settings.arguments`, from the models that read the settings: what may be given in Python.

What is accepted is more than what is held: `bench="30s"` becomes 30.0. A checker of types learns it from here.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dockerproxy.settings import OPTION_NAMES, RouteOptions, Settings
from dockerproxy.settings.middlewares import parse_middlewares
from dockerproxy.settings.values import (
    parse_duration,
    parse_nanoseconds,
    parse_networks,
    parse_page_handler,
    parse_size,
    parse_size_limit,
    parse_statuses,
    parse_timeout,
    split_list,
)

# What a parser of ours takes.
_TAKEN: Mapping[Callable[..., Any], str] = {
    parse_duration: "float | str",
    parse_nanoseconds: "float | str",
    parse_size: "int | str",
    parse_timeout: "float | str | None",
    parse_size_limit: "int | str | None",
    parse_statuses: "int | str | Iterable[int | str]",
    parse_middlewares: "str | Iterable[str]",
    parse_page_handler: "str | Callable[..., Any]",
    parse_networks: "str | Iterable[str | IPv4Network | IPv6Network]",
    split_list: "str | Iterable[str]",
}
# Of settings whose parser stands in a private function; None, as arguments of a command line are when nobody has
# given them, is left out.
_BY_NAME = {"listen": "str | int | Iterable[str | int | ListenAddress] | None"}
_PLAIN: Mapping[Any, str] = {bool: "bool", int: "int", float: "float", str: "str", Path: "Path | str"}
_GROUP = "Mapping[str, Any] | BaseModel"

_HEAD = '''"""What may be given in Python for each setting: argument -> its type. For checkers of types only.

Made by `make docs` from the settings, their kinds and names; edit those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal, TypedDict

from pydantic import BaseModel

from dockerproxy.settings.values import ListenAddress
'''


def argument_types() -> str:
    """The text of the module."""
    options = [name for name in OPTION_NAMES if name != "middlewares"]
    others = [name for name in Settings.model_fields if name not in (*OPTION_NAMES, "listen", "routes")]
    return "\n\n".join(
        (
            _HEAD,
            _class("CommonArguments", "TypedDict, total=False", "Options of a route, but `middlewares`.", options),
            _class("OptionArguments", "CommonArguments, total=False", "Arguments of `RouteOptions`.", ["middlewares"]),
            _class(
                "ProxyArguments", "CommonArguments, total=False", "Arguments of `Proxy` beside those it names.", others
            ),
            _class(
                "SettingArguments", "ProxyArguments, total=False", "All settings.", ["listen", "routes", "middlewares"]
            ),
        )
    )


def _class(name: str, bases: str, meaning: str, fields: Iterable[str]) -> str:
    rows = "\n".join(f"    {field}: {_taken(field)}" for field in fields)
    return f'class {name}({bases}):\n    """{meaning}"""\n\n{rows}\n'


def _taken(name: str) -> str:
    field = Settings.model_fields.get(name) or RouteOptions.model_fields[name]
    return _BY_NAME.get(name) or _of_field(field)


def _of_field(field: FieldInfo) -> str:
    return _of_parser(field.metadata) or _of(field.annotation)


def _of(annotation: Any) -> str:
    """The type that is accepted where this is held. Raises KeyError for a kind that stands nowhere here."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _of_parser(annotation.__metadata__) or _of(inner[0])
    if origin in (Union, types.UnionType):
        return " | ".join("None" if part is type(None) else _of(part) for part in inner)
    if origin is Literal:
        return f"Literal[{', '.join(_quoted(value) for value in inner)}]"
    if origin is tuple:
        return f"Iterable[{_of(inner[0])}]"
    if origin is dict:
        return f"Mapping[str, {_of(inner[1])}]"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _GROUP
    return _PLAIN[annotation]


def _of_parser(metadata: Iterable[Any]) -> str:
    parsers = (getattr(each, "func", None) for each in metadata)
    return next((_TAKEN[parser] for parser in parsers if parser is not None and parser in _TAKEN), "")


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
