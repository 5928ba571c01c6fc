"""Miss: no route answers a request, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MissReason(StrEnum):
    """Why no route answers."""

    HOST = "unknown_host"
    PATH = "unknown_path"
    METHOD = "unknown_method"
    AMBIGUOUS = "ambiguous_path"
    UNDECIDED = "undecided_path"


@dataclass(frozen=True, slots=True)
class Miss:
    """No route answers, and why.

    domain: the domain that was found, as written in its routes, or ""
    allow:  for METHOD, the methods that would be answered
    """

    reason: MissReason
    domain: str = ""
    allow: tuple[str, ...] = ()
