"""Health: asks the proxy on this machine whether it answers; for the HEALTHCHECK of an image and for scripts.

It runs every few seconds for as long as the machine does, so it loads next to nothing: neither settings, where the
environment names the state folder, nor an http client.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from dockerproxy.process import whereabouts
from dockerproxy.process.whereabouts import Whereabouts

_STATE_VARIABLE = "DOCKERPROXY_STATE_DIR"
_TIMEOUT = 2.0  # seconds; a health check that waits longer says nothing
_STATUS_LINE = 64  # bytes; more than there are before the reason


def check_running() -> int | None:
    """`check_health` of the proxy whose state folder the environment names; None where no such proxy is known."""
    folder = os.environ.get(_STATE_VARIABLE)
    found = whereabouts.find(Path(folder)) if folder else None
    return check_health(found) if found is not None else None


def check_health(place: Whereabouts) -> int:
    """0 when the proxy there (at its first address with https, if any) answers, else 1 and why on standard error."""
    try:
        answer = _asked(place)
    except OSError as error:
        print(f"no dockerproxy answers at {place.host}:{place.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    version, _, rest = answer.partition(b" ")
    if not version.startswith(b"HTTP/"):
        print(f"what answers at {place.host}:{place.port} speaks no http, so it is no dockerproxy", file=sys.stderr)
        return 1
    status = rest[:3].decode("ascii", "replace")
    if status == "200":
        return 0
    message = f"{place.host}:{place.port} answered with {status}; is it a dockerproxy with this admin_host?"
    print(message, file=sys.stderr)
    return 1


def _asked(place: Whereabouts) -> bytes:
    """The beginning of the answer. Raises OSError."""
    request = f"GET /health HTTP/1.1\r\nHost: {place.admin_host}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((place.host, place.port), _TIMEOUT) as plain:
        connection = _secured(plain) if place.tls else plain
        with connection:
            connection.sendall(request.encode())
            answer = b""
            while len(answer) < _STATUS_LINE and b"\n" not in answer:
                piece = connection.recv(_STATUS_LINE)
                if not piece:
                    break
                answer += piece
    if not answer:
        raise ConnectionError("it closed the connection")
    return answer


def _secured(plain: socket.socket) -> socket.socket:
    import ssl

    context = ssl.create_default_context()
    # It is asked whether it answers; that its certificate is for another name than this address says nothing of that.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain)
