"""Health: asks the proxy on this machine whether it answers; for the HEALTHCHECK of an image and for scripts."""

from __future__ import annotations

import http.client
import ssl
import sys

from dockerproxy.settings import Settings

_TIMEOUT = 2.0  # seconds; a health check that waits longer says nothing


def check_health(settings: Settings) -> int:
    """0 when the proxy at its own address (the first with https, if any) answers, else 1 and why on standard error."""
    address = settings.own_address
    host = address.host or "127.0.0.1"
    connection = _connection(host, address.port, address.tls)
    try:
        connection.request("GET", "/health", headers={"Host": settings.admin_host})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"no dockerproxy answers at {host}:{address.port}: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if status == 200:
        return 0
    print(f"{host}:{address.port} answered with {status}; is it a dockerproxy with this admin_host?", file=sys.stderr)
    return 1


def _connection(host: str, port: int, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    context = ssl.create_default_context()
    # It is asked whether it answers; that its certificate is for another name than this address says nothing of that.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=context)
