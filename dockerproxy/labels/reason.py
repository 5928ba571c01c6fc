"""Reason: why a container is not routed as its labels ask, in words, with a code and what mends it.

docs/why.md has a section for each code, so that a person who meets one in a log line can look it up.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """Why, in one word. Beside these there are `proxy.answers.ANSWERS`, for requests."""

    # About its labels.
    NO_LABEL = "no_label"
    NEAR_PREFIX = "near_prefix"
    UNKNOWN_LABEL = "unknown_label"
    UNKNOWN_PROTECTION = "unknown_protection"
    LETTER_CASE = "letter_case"
    WRONG_VALUE = "wrong_value"
    UNREADABLE = "unreadable"
    ROUTE_LEFT_OUT = "route_left_out"
    TWO_PATHS = "two_paths"
    NO_DOMAIN = "no_domain"
    NO_PREFIX_TO_STRIP = "no_prefix_to_strip"
    ONE_MORE_ROUTE = "one_more_route"
    FORBIDDEN = "forbidden"
    ONE_OFF = "one_off"
    # About its state.
    NOT_STARTED = "not_started"
    PAUSED = "paused"
    RESTARTING = "restarting"
    EXITED = "exited"
    NOT_RUNNING = "not_running"
    HEALTH_STARTING = "health_starting"
    UNHEALTHY = "unhealthy"
    # About the way to it.
    NO_PORT = "no_port"
    SEVERAL_PORTS = "several_ports"
    NOT_PUBLISHED = "not_published"
    NO_NETWORK = "no_network"
    NO_SHARED_NETWORK = "no_shared_network"
    UNKNOWN_NETWORK = "unknown_network"
    ISOLATED_NETWORK = "isolated_network"
    NO_ADDRESS = "no_address"
    ANOTHERS_NETWORK = "anothers_network"
    HOST_NOT_REACHED = "host_not_reached"
    # About what others have or say.
    OLDER_CONTAINER_WINS = "older_container_wins"
    FIRM_ROUTE_WINS = "firm_route_wins"
    PLACE_TAKEN = "place_taken"
    TOO_MANY_EXPRESSIONS = "too_many_expressions"
    HANDLER_ROUTE = "handler_route"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN_MIDDLEWARE = "unknown_middleware"
    OTHER_MIDDLEWARES = "other_middlewares"
    # What `explain` finds beside them.
    ROUTED = "routed"
    DRAINING = "draining"
    BENCHED = "benched"
    NOT_LISTENING = "not_listening"
    NO_TLS = "no_tls"
    TLS_ONLY = "tls_only"
    NO_HTTPS = "no_https"
    ROUTE_PAUSED = "route_paused"
    NOT_FOUND = "not_found"
    ENGINE_NOT_REACHED = "engine_not_reached"
    DISCOVERY_DISABLED = "discovery_disabled"


class Reason(str):
    """A sentence of the form `what is wrong; what mends it; what follows from it`; equal to any equal string.

    what:  what is wrong
    mend:  what to do about it, or ""
    follows: what is done instead, or ""
    label: the label that it is about, or ""
    meant: the label that was probably meant instead, or ""
    """

    __slots__ = ("code", "follows", "label", "meant", "mend", "what")

    code: Code
    what: str
    mend: str
    follows: str
    label: str
    meant: str

    def __new__(
        cls, code: Code, what: str, mend: str = "", *, follows: str = "", label: str = "", meant: str = ""
    ) -> Self:
        self = super().__new__(cls, "; ".join(part for part in (what, mend, follows) if part))
        self.code = code
        self.what = what
        self.mend = mend
        self.follows = follows
        self.label = label
        self.meant = meant
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[Code, str, str], dict[str, str]]:
        """For copies."""
        return (self.code, self.what, self.mend), {"follows": self.follows, "label": self.label, "meant": self.meant}
