"""AdminClient: asks a running proxy, and says in words what went wrong and how to mend it.

It uses http.client, so that a command starts quickly, and one connection per question.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dockerproxy.commands.asking.endpoint import Endpoint
from dockerproxy.errors import DockerproxyError

_TIMEOUT = 10.0  # seconds; a change is on disk before it is answered, which may take a moment
_LONGEST_TEXT = 300  # characters of an answer that was not expected

Query = Mapping[str, str | Sequence[str]]


class NoAnswer(DockerproxyError):
    """Nobody answers there, or not as a proxy does."""


class NotInTime(NoAnswer):
    """Somebody took the question, but did not answer it in time."""


class Refused(DockerproxyError):
    """The proxy answered, and said no.

    status: the answer's
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class AdminClient:
    """The admin handlers of one proxy.

    Each method raises NoAnswer when nobody answers, and Refused with what the proxy said when it says no.
    """

    def __init__(self, endpoint: Endpoint, token: str | None = None, timeout: float = _TIMEOUT) -> None:
        self.endpoint = endpoint
        self._token = token
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"<AdminClient of {self.endpoint}>"

    def get(self, path: str, query: Query | None = None) -> Any:
        """What the proxy answers, as read from JSON."""
        with self._answer("GET", path, query) as response:
            return self._json(response)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What the proxy answers to a change, as read from JSON."""
        with self._answer("POST", path, body=json.dumps(body).encode()) as response:
            return self._json(response)

    def lines(self, path: str, query: Query | None = None) -> Iterator[str]:
        """The lines of an answer in text, each as soon as it has come; without a limit of time."""
        with self._answer("GET", path, query, for_ever=True) as response:
            while line := self._next_line(response):
                yield line.decode("utf-8", "replace").rstrip("\n")

    def ask(self, host: str, path: str, timeout: float) -> int:
        """The status with which the proxy answers a client's GET of `path` at the domain `host`.

        timeout: seconds; raises NotInTime when they are over
        """
        with self._sent("GET", path, {"Host": host}, timeout=timeout) as response:
            return int(response.status)

    @contextlib.contextmanager
    def _answer(
        self, method: str, path: str, query: Query | None = None, body: bytes | None = None, for_ever: bool = False
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer, its body not read yet; it is a good one. `for_ever`: its body may take any time."""
        headers = {"Host": self.endpoint.host, "Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        target = f"{path}?{urlencode(query, doseq=True)}" if query else path
        with self._sent(method, target, headers, body, for_ever) as response:
            if response.status >= 300:
                raise self._refused(response, path)
            yield response

    @contextlib.contextmanager
    def _sent(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        for_ever: bool = False,
        timeout: float | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self.endpoint.address, self.endpoint.port)
        try:
            connection.sock = sock = self._connected()
            sock.settimeout(timeout or self._timeout)
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            if for_ever:
                sock.settimeout(None)
            yield response
        except ssl.SSLError as error:
            raise NoAnswer(self._tls_trouble(error)) from None
        except (OSError, http.client.HTTPException) as error:
            late = isinstance(error, TimeoutError) and connection.sock is not None
            raise (NotInTime if late else NoAnswer)(self._nobody(error)) from None
        finally:
            connection.close()

    def _connected(self) -> socket.socket:
        sock = socket.create_connection((self.endpoint.address, self.endpoint.port), self._timeout)
        if not self.endpoint.tls:
            return sock
        context = ssl.create_default_context()
        if self.endpoint.local:  # as trustworthy as http on the same machine, and its certificate is for other names
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(sock, server_hostname=self.endpoint.name)

    def _next_line(self, response: http.client.HTTPResponse) -> bytes:
        try:
            return response.readline()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"the proxy at {self.endpoint} ended the connection: {_reason(error)}") from None

    def _json(self, response: http.client.HTTPResponse) -> Any:
        try:
            return json.loads(response.read())
        except ValueError:
            raise NoAnswer(f"{self.endpoint} answers, but not as a dockerproxy does: {_HOW_TO_NAME}") from None

    def _refused(self, response: http.client.HTTPResponse, path: str) -> DockerproxyError:
        text = response.read().decode("utf-8", "replace").strip()
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            return Refused(response.status, _with_problems(answer))
        if response.status in (401, 403):
            return Refused(response.status, self._no_access(response.status, text))
        if response.status == 404:
            return NoAnswer(self._not_there(path, text))
        return Refused(response.status, f"the proxy at {self.endpoint} answered {response.status}: {_shortened(text)}")

    def _no_access(self, status: int, text: str) -> str:
        if status == 403:
            return f"the proxy at {self.endpoint} refused: {_shortened(text)}"
        if self._token:
            return f"the proxy at {self.endpoint} does not know this token; give its own with {_TOKEN}"
        return f"the proxy at {self.endpoint} wants its admin token: give it with {_TOKEN}"

    def _not_there(self, path: str, text: str) -> str:
        if "unknown_path" in text:
            return f"the proxy at {self.endpoint} has no {path}: is it an older version than this command?"
        return (
            f"{self.endpoint} answers, but has no admin handlers at the domain {self.endpoint.host}: "
            f"if its admin_host is another one, {_HOW_TO_NAME}"
        )

    def _nobody(self, error: OSError | http.client.HTTPException) -> str:
        return (
            f"no proxy answers at {self.endpoint} ({self.endpoint.origin}): {_reason(error)}; "
            f"start it with `dockerproxy run`, or {_HOW_TO_NAME}"
        )

    def _tls_trouble(self, error: ssl.SSLError) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"{self.endpoint}: its certificate is not trusted ({error.verify_message}); name the file of your own "
                "authority in SSL_CERT_FILE, or the domain that the certificate is for in --url"
            )
        return f"{self.endpoint}: no TLS connection ({error.reason or error}); if it speaks http, use --url http://…"


_TOKEN = "--token or DOCKERPROXY_ADMIN_TOKEN"
_HOW_TO_NAME = "name it with --url http://ADMIN_HOST:PORT, DOCKERPROXY_LISTEN or --config"


def _with_problems(answer: Mapping[str, Any]) -> str:
    """The proxy's message; or its problems, on lines of their own, where each is about some key."""
    problems = answer.get("problems") or ()
    if not problems or not all(found.get("where") for found in problems):
        return str(answer["error"])
    return "\n".join(f"{found['where']}: {found.get('message')}" for found in problems)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def _reason(error: OSError | http.client.HTTPException) -> str:
    """Why, in words that are not Python's."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.BadStatusLine):
        return "what answers there speaks no http"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
