"""The engine that Docker's own variables name, for those who have set them for the command `docker`.

DOCKER_HOST counts where nothing else names the engine; DOCKER_TLS_VERIFY and DOCKER_CERT_PATH only together with it.
https://docs.docker.com/reference/cli/docker/#environment-variables
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.settings.model import engine_address
from dockerproxy.settings.secret import without_passwords

HOST, CERT_PATH, TLS_VERIFY = "DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"


def docker_of(environment: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings below `docker` that Docker's variables make.

    given: what our own settings say below `docker`
    Raises SettingsError for an address that is none for us.
    """
    host = environment.get(HOST, "")
    if not host or given.get("host") is not None or given.get("enabled") in (False, "false"):
        return {}
    try:
        found: dict[str, Any] = {"host": engine_address(host)}
    except ValueError as error:
        message = f"{error}; or set docker.host, which counts before {HOST}"
        raise SettingsError("environment", [Problem(HOST, without_passwords(message))]) from None
    if environment.get(TLS_VERIFY) or environment.get(CERT_PATH):
        folder = Path(environment.get(CERT_PATH) or Path.home() / ".docker")
        found |= {"tls_ca": folder / "ca.pem", "tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"}
    return found
