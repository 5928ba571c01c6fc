"""Health: asks the proxy on this machine whether it answers; for the HEALTHCHECK of an image and for scripts."""

from __future__ import annotations

import http.client
import sys

from dockerproxy.settings import Settings

_TIMEOUT = 2.0  # seconds; a health check that waits longer says nothing


def check_health(settings: Settings) -> int:
    """0 when the proxy at the first listen address answers, else 1 with the reason on standard error."""
    address = settings.listen[0]
    host = address.host or "127.0.0.1"
    connection = http.client.HTTPConnection(host, address.port, timeout=_TIMEOUT)
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
