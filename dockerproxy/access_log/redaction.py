"""What must not stand in a log: credentials in fields and in the query of a target. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_plus

REDACTED = "[redacted]"
# RFC 9110 section 11, RFC 6265, and what APIs use in their place.
_SECRET_FIELD_ENDS = ("authorization", "cookie", "api-key", "apikey")
# Names of parameters that bear a credential: RFC 6749 and 6750 (OAuth), OpenID Connect, signed URLs, common habit.
_SECRET_ENDS = ("token", "secret", "password", "passwd", "signature", "credential")
# `header` is our own: GET /explain takes any field of the request that is to be explained.
_SECRET_NAMES = frozenset({"api_key", "apikey", "auth", "code", "header", "jwt", "key", "pass", "pwd", "sid", "sig"})
_PARAMETER = re.compile("[^&;?]+")
_WORD = re.compile(r"[^\[\]\s]+")  # of the name of a parameter: `user[password]`, `token[]`


def redacted_target(target: str) -> str:
    """The target, with the values of parameters that bear credentials replaced."""
    path, mark, query = target.partition("?")
    if not mark or "=" not in query:
        return target
    return f"{path}?{_PARAMETER.sub(_redacted_parameter, query)}"


def _redacted_parameter(found: re.Match[str]) -> str:
    text = found[0]
    name, equals, _ = text.partition("=")
    return f"{name}={REDACTED}" if equals and _is_secret(name) else text


@lru_cache(maxsize=1024)  # sites use the same few names again and again
def _is_secret(name: str) -> bool:
    words = _WORD.findall(unquote_plus(name).lower())
    return any(word in _SECRET_NAMES or word.endswith(_SECRET_ENDS) for word in words)


def redacted_field(name: str, value: str) -> str:
    """The value of a field, replaced when the field bears credentials; `name` is in lower case."""
    return REDACTED if name.endswith((*_SECRET_FIELD_ENDS, *_SECRET_ENDS)) else value
