"""Refusal: the answer to whoever has to wait before anything that he sends is looked at, and what is logged of it."""

from __future__ import annotations

import logging
import math
import time

from aiohttp import web

from dockerproxy.proxy.log_limit import LogLimit

log = logging.getLogger("dockerproxy.web")


class BanLog:
    """Says that an address is banned; a flood of bans, from an attacker with many addresses, is summed up.

    what: was wrong too often, such as `admin: too many wrong tokens`
    then: what is not done for so long
    """

    def __init__(self, what: str, then: str) -> None:
        self._what, self._then = what, then
        self._limit = LogLimit()

    def __repr__(self) -> str:
        return f"<BanLog: {self._what}>"

    def tell(self, address: str, seconds: float) -> None:
        """Log it, if it is to be told."""
        unsaid = self._limit.unsaid(self._what, time.monotonic())
        if unsaid is not None:
            more = f" (and {unsaid} more like it before)" if unsaid else ""
            log.warning("%s from %s; %s for %g s%s", self._what, address, self._then, seconds, more)


def too_many(what: str, wait: float) -> web.HTTPTooManyRequests:
    """429 with the whole seconds to wait (RFC 6585 section 4).

    what: there was too much of
    """
    seconds = str(math.ceil(wait))
    return web.HTTPTooManyRequests(
        headers={"Retry-After": seconds}, text=f"Too many {what}; try again in {seconds} s.\n"
    )
