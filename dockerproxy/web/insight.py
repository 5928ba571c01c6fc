"""Insight: who is told why a request failed (X-Dockerproxy-Reason): whoever may call the admin handlers."""

from __future__ import annotations

from collections.abc import Callable

from dockerproxy.settings import Settings
from dockerproxy.web.access import is_loopback


class Insight:
    """Decides for one client at a time.

    settings: gives the settings in force
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings

    def __call__(self, address: str, authorization: str) -> bool:
        """Whether a client may see the reason.

        address:       the client's IP address
        authorization: value of its Authorization field, or ""
        """
        access = self._settings().effective_admin_access
        return access == "open" or (access == "loopback" and is_loopback(address))
