"""A pydantic error in this project's words: full path, value, expectation, did-you-mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.errors import Problem
from dockerproxy.settings.routes import RouteSettings
from dockerproxy.settings.secret import is_secret, without_passwords, without_secrets

# Keys of a route that are labels, and stand elsewhere in a file.
_ELSEWHERE = {
    "method": "; methods belong to the path: write path: {prefix: /, method: [GET, POST]}",
    "path_regex": "; write path: {regex: '^/v[0-9]+/'}",
    "port": "; a port belongs to the URL of an upstream: write upstreams: [http://localhost:8080]",
    "weight": "; a weight belongs to an upstream: write upstreams: [{url: http://localhost:8080, weight: 3}]",
}
_VALUE_SHOWN = 80  # characters of a wrong value that a message repeats
# By pydantic's type of error; `{…}` is filled from its context.
_WORDS: Mapping[str, str] = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "too_short": "a list with {min_length} or more",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "keys and values",
    "mapping_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "path_type": "a path",
}
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))
_OWN = "Value error, "  # before the message of a ValueError that one of our parsers has raised


def problems_in(error: ValidationError, model: type[BaseModel], given: Any = None) -> list[Problem]:
    """All that is wrong; `model` and `given` as in `describe`."""
    return [describe(details, model, given) for details in error.errors()]


def describe(details: ErrorDetails, model: type[BaseModel], given: Any = None) -> Problem:
    """A pydantic error in words: full path, value, expectation, did-you-mean.

    given: what was checked, in which the value stands as somebody wrote it: `2h`, of which pydantic only knows 7200.0
    """
    location = details["loc"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    if details["type"] == "extra_forbidden":
        key = str(location[-1])
        of_route = location[:-1] == () if model is RouteSettings else location[:1] == ("routes",) and len(location) == 3
        hint = _ELSEWHERE.get(key) if of_route else None
        return Problem(where, "unknown key" + (hint or meant_key(key, _keys_beside(location, model))))
    if details["type"] == "missing":
        return Problem(where, "is missing")
    written = _written(given, location, details["input"])
    message = _expectation(details, of_time=isinstance(written, str) and isinstance(details["input"], float))
    found = _shorten(without_secrets(written))
    told = found in message and isinstance(written, str)
    # Without a place it is about all settings at once.
    untold = not location or any(map(is_secret, location))
    return Problem(where, without_passwords(message if told or untold else f"{message} (found {found})"))


def _written(given: Any, location: tuple[int | str, ...], found: Any) -> Any:
    """The value at `location` in what was given, or what was found where there is none."""
    for part in location:
        if not isinstance(given, (Mapping, list, tuple)):
            return found
        try:
            given = given[part]  # type: ignore[index]  # where the key does not fit, that is told at once
        except (KeyError, IndexError, TypeError):
            return found
    return given if location else found


def meant_key(key: str, known: list[str]) -> str:
    return did_you_mean(key, known, f"known keys: {', '.join(sorted(known))}")


def _keys_beside(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys that are allowed where `location`'s last part stands."""
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        found = _model_in(field.annotation) if field is not None else None
        if found is None:
            return []
        model = found
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [*names, *getattr(model, "go_names", ())]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_SHOWN else text[: _VALUE_SHOWN - 1] + "…"


def _expectation(details: ErrorDetails, of_time: bool = False) -> str:
    """One sentence without the value that was found. `of_time`: bounds are seconds, and are told as a duration."""
    words = _WORDS.get(details["type"])
    if words is not None:
        context = details.get("ctx", {})
        if of_time:
            context = {name: _Seconds(bound) for name, bound in context.items()}
        return "expected " + words.format(**context)
    message = details["msg"]
    return message.removeprefix(_OWN) if message.startswith(_OWN) else message[:1].lower() + message[1:]


class _Seconds(float):
    """A bound of a duration; formatted, it is written as durations are: `1h`."""

    def __format__(self, _spec: str) -> str:
        size, unit = next(((size, unit) for size, unit in _UNITS if self and not self % size), (1, "s"))
        return f"{self / size:g}{unit}"
