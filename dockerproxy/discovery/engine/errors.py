"""What went wrong between us and the engine, in words for the person who runs the proxy, with what mends it.

The SDK wraps errors in errors in errors; here the innermost that says something is looked for and told.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTPException, IncompleteRead
from urllib.parse import urlsplit

from docker.errors import APIError, InvalidVersion

OLDEST_API = "1.24"  # what the SDK speaks at least; Docker 1.12, of 2016
_UNIX = "unix://"
_FORBIDDEN = 403
_TEXT_SHOWN = 200  # characters of a foreign error that are repeated


def in_words(error: BaseException, host: str) -> str:
    """One sentence that names the engine's address, what happened, and what to do.

    host: the setting `docker.host`
    """
    causes = list(_causes(error))
    for kind, words in _WORDS:
        for cause in causes:
            if isinstance(cause, kind):
                return words(cause, host)
    innermost = causes[-1]
    text = str(innermost) or type(innermost).__name__
    return f"{host} cannot be used: {text[:_TEXT_SHOWN]}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and all that it was raised for: the SDK and its HTTP library put causes into args, too."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def _path(host: str) -> str:
    """The path of the UNIX socket, or ""."""
    return "/" + host.removeprefix(_UNIX).lstrip("/") if host.startswith(_UNIX) else ""


def _denied(_: BaseException, host: str) -> str:
    path = _path(host)
    if not path:
        return f"permission denied on {host}"
    group = ""
    try:
        group = str(os.stat(path).st_gid)
    except OSError:
        group = "<id of the group docker>"
    return (
        f"permission denied on {path}: add the user to the group docker (usermod -aG docker <user>),"
        f' or run the container with group_add: ["{group}"]'
    )


def _missing(_: BaseException, host: str) -> str:
    path = _path(host) or host
    return (
        f"there is no socket {path}: start the engine, mount the socket into the container"
        f" (--volume {path}:{path}), or set docker.host"
    )


def _refused(_: BaseException, host: str) -> str:
    path = _path(host)
    if path and os.path.isdir(path):
        return f"{path} is a folder, not a socket: the engine made it when the socket to mount was missing; remove it"
    if path and _is_deleted(path):
        return (
            f"{path} is mounted from an engine that has made a new socket since: restart the proxy's container"
            " (docker restart), which mounts the new one"
        )
    if path:
        return f"nobody listens on {path}: start the engine (systemctl start docker), or set docker.host"
    return f"{host} refuses connections: start the engine with --host={host}, or set docker.host"


def _is_deleted(path: str) -> bool:
    """Whether it is mounted, and its file was deleted where it came from: a new one of the same name is another."""
    try:
        return os.stat(path).st_nlink == 0
    except OSError:
        return False


def _unresolved(_: BaseException, host: str) -> str:
    return f"{host}: the name {urlsplit(host).hostname} cannot be resolved; set docker.host to the engine's address"


def _timed_out(_: BaseException, host: str) -> str:
    return f"{host} does not answer in time: the engine hangs or is overloaded, or a firewall is in between"


def _not_trusted(error: BaseException, host: str) -> str:
    """The engine's certificate, as OpenSSL judges it."""
    said = str(getattr(error, "verify_message", "") or error).rstrip(".")
    if "mismatch" in said:
        mend = "write docker.host with a name or address that stands in the certificate"
    elif "expired" in said or "not yet valid" in said:
        mend = "renew it, and look at the clocks of both machines"
    else:
        mend = "set docker.tls_ca to the file of the authority that signed it (ca.pem)"
    return f"{host}: the engine's certificate is not accepted: {said}; {mend}"


def _tls(error: BaseException, host: str) -> str:
    reason = getattr(error, "reason", None)
    told = str(reason).replace("_", " ").lower() if reason else str(error)
    mend = next((words for mark, words in _TLS_MENDS if mark in told.lower()), "")
    return f"{host}: TLS failed ({told}){mend}"


# What OpenSSL calls it in part -> what mends it; the first that fits.
_TLS_MENDS = (
    ("key values mismatch", "; docker.tls_key does not belong to docker.tls_cert"),
    ("wrong version number", "; the engine speaks plain text there: use its TLS port (2376), or no docker.tls_*"),
    ("record layer", "; the engine speaks plain text there: use its TLS port (2376), or no docker.tls_*"),
    ("alert", "; the engine does not take our certificate: set docker.tls_cert and docker.tls_key to a pair that"
              " the authority of the engine has signed (cert.pem, key.pem)"),
    ("pem", "; docker.tls_ca, docker.tls_cert and docker.tls_key have to be files in PEM"),
    ("no certificate", "; docker.tls_ca, docker.tls_cert and docker.tls_key have to be files in PEM"),
)  # fmt: skip


def _too_old(_: BaseException, host: str) -> str:
    return f"the engine at {host} is too old: API {OLDEST_API} (Docker 1.12) or later is needed; upgrade it"


def _answered(error: BaseException, host: str) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == _FORBIDDEN:
        return (
            f"{host} forbids what discovery needs: let the socket proxy in between allow"
            " GET /version, /_ping, /events and /containers (CONTAINERS=1, EVENTS=1, PING=1, VERSION=1)"
        )
    explanation = getattr(error, "explanation", None) or error
    if "HTTPS server" in str(explanation):  # Go's words for a request in the clear
        return f"{host} speaks TLS: set docker.tls_ca, docker.tls_cert and docker.tls_key"
    return f"the engine at {host} answered {status}: {str(explanation)[:_TEXT_SHOWN]}"


def _foreign(_: BaseException, host: str) -> str:
    return f"what answers at {host} is not a Docker engine: set docker.host to the engine's address"


def _closed(_: BaseException, host: str) -> str:
    refused = "" if _path(host) else ", or, over TLS, does not take our certificate (docker.tls_cert, docker.tls_key)"
    return f"{host} closed the connection: the engine is being stopped or restarted{refused}"


Kinds = type[BaseException] | tuple[type[BaseException], ...]

# The first row that any of the causes fits is told; from the particular to the general.
_WORDS: tuple[tuple[Kinds, Callable[[BaseException, str], str]], ...] = (
    (PermissionError, _denied),
    ((FileNotFoundError, NotADirectoryError), _missing),
    (ConnectionRefusedError, _refused),
    (socket.gaierror, _unresolved),
    (ssl.SSLCertVerificationError, _not_trusted),
    (ssl.SSLError, _tls),
    (TimeoutError, _timed_out),
    (InvalidVersion, _too_old),
    (APIError, _answered),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError, IncompleteRead), _closed),
    ((json.JSONDecodeError, HTTPException, KeyError, TypeError), _foreign),
)
