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
_OWN = "Value error, "  # before the message of a ValueError that one of our parsers has raised


def expectation(details: ErrorDetails) -> str:
    """One sentence without the value that was found."""
    words = _WORDS.get(details["type"])
    if words is not None:
        return "expected " + words.format(**details.get("ctx", {}))
    message = details["msg"]
    return message.removeprefix(_OWN) if message.startswith(_OWN) else message[:1].lower() + message[1:]
