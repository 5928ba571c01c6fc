"""Identity: fields by which an upstream is told who a client is; a client must not be able to send them itself.

Neither in its head nor behind its body, under no name that an application may take for the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from aiohttp import web
from multidict import CIMultiDict

from dockerproxy.http1.headers import twin
from dockerproxy.web.context import ASSERTED


def asserting(request: web.Request, fields: Mapping[str, Iterable[str]], without: str = "") -> web.Request:
    """The request with these values of these fields, and no others of the client's.

    without: name of a field that is taken out, as it is written
    """
    headers = CIMultiDict(request.headers)
    headers.popall(without, None)
    twins = {_twin(name) for name in fields}
    for name in [each for each in headers if _twin(each) in twins]:
        headers.popall(name, None)
    for name, values in fields.items():
        for value in values:
            headers.add(name, value)
    told = request.clone(headers=headers)
    told[ASSERTED] = request.get(ASSERTED, frozenset()) | frozenset(fields)
    return told


@lru_cache(maxsize=1024)  # clients send the same few names again and again
def _twin(name: str) -> bytes:
    return twin(name.encode("utf-8", "surrogateescape"))
