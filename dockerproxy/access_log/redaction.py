"""What must not stand in a log: credentials in fields and in the query of a target. Pure."""

from __future__ import annotations

import re

REDACTED = "[redacted]"
# RFC 9110 section 11, RFC 6265, and what APIs use in their place.
_SECRET_FIELDS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token"}
)
# Names of parameters that bear a credential: RFC 6749 and 6750 (OAuth), OpenID Connect, signed URLs, common habit.
_SECRET_PARAMETER = re.compile(
    r"((?:^|[?&;])(?:[a-z0-9_.-]*(?:token|secret|password|passwd|signature|credential)|api_?key|code|auth|sig|pwd)=)"
    r"[^&;#]*",
    re.IGNORECASE,
)


def redacted_target(target: str) -> str:
    """The target, with the values of parameters that bear credentials replaced."""
    if "=" not in target:
        return target
    path, mark, query = target.partition("?")
    return path + _SECRET_PARAMETER.sub(rf"\g<1>{REDACTED}", mark + query)


def redacted_field(name: str, value: str) -> str:
    """The value of a field, replaced when the field bears credentials; `name` is in lower case."""
    return REDACTED if name in _SECRET_FIELDS else value
