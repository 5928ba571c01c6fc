"""Announcements: what the log tells of a proxy at its start and after a reload, for the person who runs it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from dockerproxy.control.base.builtin import count_routes
from dockerproxy.control.registry import Registry
from dockerproxy.process import descriptors
from dockerproxy.proxy.downstream.client_limit import descriptors_for
from dockerproxy.settings import Settings
from dockerproxy.settings.values import ListenAddress
from dockerproxy.tls.keyring import certificate_warnings
from dockerproxy.version import VERSION
from dockerproxy.web.admin import open_admin_routes

if TYPE_CHECKING:
    from dockerproxy.tls.certificate import Certificate

log = logging.getLogger("dockerproxy")

# So few that a busy site, or anybody who means harm, may need all of them.
_FEW_CLIENTS = 2000


def announce_start(addresses: Sequence[ListenAddress], registry: Registry) -> None:
    """Where it listens, and how many routes there are."""
    where = ", ".join(map(str, addresses))
    log.info("dockerproxy %s listens on %s, %s", VERSION, where, count_routes(registry.routes))


def announce_reload(registry: Registry) -> None:
    """That it is done."""
    log.info("reload: done, %s", count_routes(registry.routes))


def warn_of_open_routes(registry: Registry, known: Collection[str] = ()) -> None:
    """Handlers of ours that anybody may call.

    known: lines about them that were told before
    """
    for line in open_admin_routes(registry):
        if line not in known:
            log.warning("%s", line)


def warn_of_certificates(settings: Settings, certificates: Sequence[Certificate]) -> None:
    """What clients will not like about them, or soon."""
    for line in certificate_warnings(settings, certificates):
        log.warning("%s", line)


def tell_room(settings: Settings, places: int) -> None:
    """Where `max_clients` cannot be reached, for whoever has set it, or where few can be served.

    places: how many clients there may be
    """
    wanted = settings.max_clients
    if places >= wanted or ("max_clients" not in settings.model_fields_set and places >= _FEW_CLIENTS):
        return
    log.warning(
        "max_clients is %d, but the %d files that may be open are enough for %d clients; allow %d (ulimit -n, "
        "LimitNOFILE of systemd, ulimits in a compose file), or lower max_clients",
        wanted, descriptors.limit(), places, descriptors_for(wanted),
    )  # fmt: skip
