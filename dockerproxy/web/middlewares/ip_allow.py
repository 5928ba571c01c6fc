"""ip_allow: lets in clients from some networks only."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import ClassVar

from aiohttp import web
from pydantic import Field

from dockerproxy.settings.options import Strict
from dockerproxy.settings.values import Networks
from dockerproxy.web.middlewares.registry import CallNext


class IpAllowOptions(Strict):
    """Options of ip_allow."""

    networks: Networks = Field(min_length=1, description="networks or addresses whose clients are let in")


class IpAllow:
    """Answers 403 to everybody else. The client's address is the one that `trusted_proxies` leaves believed."""

    Options = IpAllowOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: IpAllowOptions) -> None:
        self._networks = options.networks

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        if not self.allows(request.remote or ""):
            raise web.HTTPForbidden(text="This site is not open to your address.\n")
        return await call_next(request)

    def allows(self, client: str) -> bool:
        """Whether a client's address is in one of the networks."""
        try:
            address = ip_address(client.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)
