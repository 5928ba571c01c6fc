"""Who is told why a request failed (X-Dockerproxy-Reason): whoever may call the admin handlers."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from dockerproxy.settings import Settings
from dockerproxy.web.access.permission import is_loopback
from dockerproxy.web.credentials.throttle import Throttle


class Insight:
    """Decides for one client at a time.

    It has a throttle of its own: an application's visitors bear tokens of that application, which are no attempts to
    get at the admin handlers, and must not shut their address out from these.

    settings: gives the settings in force
    now:      the clock, in monotonic seconds
    """

    def __init__(self, settings: Callable[[], Settings], now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._throttle = Throttle()

    def __repr__(self) -> str:
        return f"<Insight for {self._settings().effective_admin_access}>"

    def __call__(self, address: str, authorization: str) -> bool:
        """Whether a client may see the reason.

        address:       the client's IP address
        authorization: value of its Authorization field, or ""
        """
        settings = self._settings()
        access = settings.effective_admin_access
        if access == "token":
            scheme, _, given = authorization.partition(" ")
            return scheme.lower() == "bearer" and self._is_right(address, given.strip(), settings.admin_token)
        return access == "open" or is_loopback(address)

    def _is_right(self, address: str, given: str, token: str | None) -> bool:
        if not token or self._throttle.banned_for(address, self._now()):
            return False
        if hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
            self._throttle.right(address)
            return True
        self._throttle.wrong(address, self._now())
        return False
