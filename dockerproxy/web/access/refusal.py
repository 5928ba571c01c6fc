"""Refusal: the answer to whoever has to wait before anything that he sends is looked at."""

from __future__ import annotations

import math

from aiohttp import web


def too_many(what: str, wait: float) -> web.HTTPTooManyRequests:
    """429 with the whole seconds to wait (RFC 6585 section 4).

    what: there was too much of
    """
    seconds = str(math.ceil(wait))
    return web.HTTPTooManyRequests(
        headers={"Retry-After": seconds}, text=f"Too many {what}; try again in {seconds} s.\n"
    )
