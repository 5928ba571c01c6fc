"""Mount: an Application below a prefix that requests come without.

As one of aiohttp's sub-applications it has addresses that begin with the prefix, so `url_for`, redirects and whatever
goes by the request's path are right for the client. For that, the prefix is put before the path again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web
from yarl import URL

_DEFAULT_MAX_SIZE = 1 << 20  # bytes of a body, aiohttp's own


def mounted_application(app: web.Application, prefix: str) -> web.Application:
    """An Application that answers requests without `prefix` as `app` does those with it."""
    # Only the outermost Application's limit counts, and none tells its own. Should it be called otherwise one day, the
    # default of all is in force rather than no limit.
    limit = getattr(app, "_client_max_size", _DEFAULT_MAX_SIZE)
    root = web.Application(client_max_size=limit)
    below = root.add_subapp(prefix, app)
    root.router.unindex_resource(below)  # else the prefix, asked for twice, would be found once
    root.router.register_resource(_Mount(below, prefix))
    return root


def with_prefix(request: web.Request, prefix: str) -> web.Request:
    """The request, as it was before `prefix` was taken away."""
    return request.clone(rel_url=URL(prefix + request.raw_path, encoded=True))


class _Mount(web.AbstractResource):
    """Finds the handler for a request as aiohttp's own resource for sub-applications does, by the whole path."""

    def __init__(self, below: web.PrefixedSubAppResource, prefix: str) -> None:
        super().__init__()
        self._below = below
        self._prefix = prefix

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        return await self._below.resolve(with_prefix(request, self._prefix))

    @property
    def canonical(self) -> str:
        return "/"

    def url_for(self, **kwargs: str) -> URL:
        return URL(self._prefix)

    def add_prefix(self, prefix: str) -> None:
        """Nobody puts this below another one."""

    def get_info(self) -> Any:
        return {"prefix": self._prefix}

    def raw_match(self, path: str) -> bool:
        return True

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(())
