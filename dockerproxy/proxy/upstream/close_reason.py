"""CloseReason: how a connection to an upstream ended."""

from __future__ import annotations

from enum import Enum


class CloseReason(Enum):
    """Who ended it, in words for the log."""

    OURS = "was left"
    CLOSED = "closed"
    RESET = "reset"
