"""Expectation: what pydantic found missing in a value, in this project's words: "expected 1 or more"."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import ErrorDetails

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


def expectation(details: ErrorDetails, of_time: bool = False) -> str:
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
