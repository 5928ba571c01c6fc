"""What is secret in settings: which values no message may repeat, and the token that stands in a file of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockerproxy.errors import Problem
from dockerproxy.process.unreadable import why_unreadable

TOKEN, TOKEN_FILE = "admin_token", "admin_token_file"
HIDDEN = "…"
TOKEN_WORDS = "expected visible ASCII characters, which a header can hold"
_VISIBLE = re.compile(r"[!-~]([ -~]*[!-~])?")
# Parts of names whose values are taken for secret, ours and those that somebody has only misspelled.
_SECRET = re.compile(r"token|secret|passw|credential|authorization|cookie|users", re.IGNORECASE)
_QUERY = re.compile(r"(\w://[^\s'\"?#]*[?#])[^\s'\"]+")  # of a URL
_WORD = re.compile(r"[^\s'\"]+")
# Of more than so many characters all up to the last @ is left out: to look into it costs the cube of its length.
_LONGEST_URL = 200
# The user and the password of a URL, also where it is malformed: all up to the last @.
_IN_URL = (re.compile(r"(?<=//)[^\s'\"]*@"), re.compile(r"[^\s'\"/(]*:[^\s'\"/]*@"))


def can_be_token(text: str) -> bool:
    """Whether it can be sent as it is in a field `Authorization: Bearer …` (RFC 9110 section 5.5)."""
    return _VISIBLE.fullmatch(text) is not None


def is_secret(name: object) -> bool:
    """Whether the value of a key or a variable of this name is to be kept out of messages."""
    return isinstance(name, str) and name.lower() != TOKEN_FILE and _SECRET.search(name) is not None


def without_secrets(value: Any) -> Any:
    """A value of the file with the secret values in it replaced, at any depth."""
    if isinstance(value, Mapping):
        return {key: HIDDEN if is_secret(key) else without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_secrets(inner) for inner in value]
    return value


def without_passwords(text: str) -> str:
    """A message, without what stands before the @ of a URL, or in its query."""
    return _QUERY.sub(rf"\1{HIDDEN}", _WORD.sub(_without_password, text))


def _without_password(word: re.Match[str]) -> str:
    text = word[0]
    if "@" not in text:
        return text
    if len(text) > _LONGEST_URL:
        return HIDDEN + text[text.rindex("@") :]
    for pattern in _IN_URL:
        text = pattern.sub(f"{HIDDEN}@", text)
    return text


def with_token_from_file(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Problem]]:
    """The values with `admin_token` read from `admin_token_file`, where that is given; and what is wrong with it.

    Docker and systemd hand secrets over as files: /run/secrets/<name>, $CREDENTIALS_DIRECTORY/<name>.
    """
    path = values.get(TOKEN_FILE)
    if path is None:
        return values, []
    if values.get(TOKEN) is not None:
        return values, [Problem(TOKEN_FILE, f"{TOKEN} is given, too; leave one of them out")]
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        return values, [Problem(TOKEN_FILE, f"{path} {why_unreadable(Path(path), error)}")]
    except (UnicodeDecodeError, TypeError, ValueError):
        return values, [Problem(TOKEN_FILE, f"{path} cannot be read: it is not a text file")]
    if len(token.split()) != 1:
        return values, [Problem(TOKEN_FILE, f"expected one line with the token in {path}, and nothing else")]
    return {**values, TOKEN: token}, []
