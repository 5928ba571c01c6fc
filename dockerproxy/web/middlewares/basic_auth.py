"""basic_auth: asks for a name and a password (RFC 7617)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from aiohttp import hdrs, web
from pydantic import BeforeValidator, Field, model_validator

from dockerproxy.process.offload import Offload
from dockerproxy.process.unreadable import why_unreadable
from dockerproxy.settings.options import Strict
from dockerproxy.web.credentials.known_credentials import KnownCredentials
from dockerproxy.web.credentials.refusal import BanLog, too_many
from dockerproxy.web.credentials.throttle import Throttle
from dockerproxy.web.middlewares.identity import asserting
from dockerproxy.web.middlewares.password import Password, dearest_of
from dockerproxy.web.middlewares.registry import CallNext

_AT_ONCE = 2  # hashes; more would take the processor away from those who are let in already

_OFFLOAD = Offload("basic-auth", _AT_ONCE)

log = logging.getLogger("dockerproxy.web")


def _users(value: Any) -> Any:
    """Names and hashes. Raises ValueError for a hash that cannot be one."""
    if not isinstance(value, Mapping):
        return value  # pydantic says what was expected
    for name, written in value.items():
        _check(str(name), str(written))
    return {str(name): str(written) for name, written in value.items()}


def _check(name: str, written: str) -> None:
    if not name or ":" in name:
        raise ValueError(f"{name!r} cannot be a user's name: it is empty, or has a colon")
    try:
        Password(written)
    except ValueError as error:
        raise ValueError(f"user {name}: {error}") from None


class BasicAuthOptions(Strict):
    """Options of basic_auth."""

    users: Annotated[Mapping[str, str], BeforeValidator(_users)] = Field(
        {}, repr=False, description="names of users, and the hashes of their passwords"
    )
    file: Path | None = Field(
        None, description="file with lines `name:hash`, in the place of `users`; read again when it changes"
    )
    realm: str = Field("restricted", pattern=r'^[^"\\\x00-\x1f\x7f]*$', description="what the browser calls the place")
    pass_on: bool = Field(False, description="let the upstream see name and password in `Authorization`")
    user_header: str = Field(
        "", pattern=r"^[A-Za-z0-9-]*$", description="field that tells the upstream the user's name, such as `X-User`"
    )

    @model_validator(mode="after")
    def _has_users(self) -> BasicAuthOptions:
        if bool(self.users) == (self.file is not None):
            raise ValueError("expected either users or file")
        if self.file is not None:
            read_users(self.file)
        return self


def read_users(file: Path) -> dict[str, Password]:
    """Names and hashes from a file with lines `name:hash`. Raises ValueError, with the line."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"{file} {why_unreadable(file, error)}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} cannot be read: {error}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        name, colon, written = line.strip().partition(":")
        if not name or name.startswith("#"):
            continue
        if not colon:
            raise ValueError(f"{file}, line {number}: expected name:hash")
        try:
            found[name] = Password(written)
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}") from None
    return found


class BasicAuth:
    """Lets in whoever knows a password; an address that guesses is slowed down, as with the admin token."""

    Options = BasicAuthOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: BasicAuthOptions) -> None:
        self._options = options
        self._users = {name: Password(written) for name, written in options.users.items()}
        self._read_at = 0  # the file's time of change, in nanoseconds
        self._throttle = Throttle()
        self._bans = BanLog("basic_auth: too many wrong passwords", "none is taken from there")
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._credentials = KnownCredentials()

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        user = await self._user(request)
        told = {self._options.user_header: [user]} if self._options.user_header else {}
        return await call_next(asserting(request, told, "" if self._options.pass_on else hdrs.AUTHORIZATION))

    async def _user(self, request: web.Request) -> str:
        """The name of a user who has shown the password. Raises HTTPUnauthorized, HTTPTooManyRequests."""
        given = _credentials(request.headers.get(hdrs.AUTHORIZATION, ""))
        if given is None:
            raise self._ask()
        client, name = request.remote or "", given[0].decode("utf-8", "replace")
        if await self._knows(client, name, *given):
            return name
        ban = self._throttle.wrong(client, time.monotonic())
        if ban:
            self._credentials.ban_begins(client)
            self._bans.tell(client, ban)
        raise self._ask()

    async def _knows(self, client: str, name: str, user: bytes, password: bytes) -> bool:
        """Whether the password is right. Raises HTTPTooManyRequests while the client is banned for wrong ones, unless
        it was right before."""
        users = self._current()
        known = users.get(name)
        mark = self._credentials.mark(user, password)
        if self._credentials.is_known(mark, known):
            if not self._credentials.may_pass_ban(client, user):
                self._refuse_banned(client)
            return True
        guess = (user, mark) if known is not None else None
        self._refuse_banned(client, guess)
        async with self._turns:
            self._refuse_banned(client, guess)  # others of its guesses may have been wrong meanwhile
            # A name that is not known costs as much as one that is: how long it takes tells nobody.
            dearest = dearest_of(users.values())
            if dearest is None:
                return False
            right = await _OFFLOAD.run((known or dearest).fits_as_slowly_as, dearest, password)
        if known is None or not right:
            return False
        self._throttle.right(client)
        self._credentials.remember(mark, known)
        return True

    def _refuse_banned(self, client: str, guess: tuple[bytes, bytes] | None = None) -> None:
        """Raises HTTPTooManyRequests while the client is banned. `guess`: a user, and the mark of what is not known."""
        wait = self._throttle.banned_for(client, time.monotonic())
        if not wait:
            return
        if guess is not None:
            self._credentials.note_guess(client, *guess)
        raise too_many("wrong passwords", wait)

    def _current(self) -> Mapping[str, Password]:
        """The users; a file that has become unreadable or wrong leaves them as they were."""
        file = self._options.file
        if file is None:
            return self._users
        try:
            changed_at = file.stat().st_mtime_ns
            if changed_at != self._read_at:
                self._users, self._read_at = read_users(file), changed_at
        except (OSError, ValueError) as error:
            if self._read_at >= 0:
                log.error("basic_auth: the users stay as they were: %s", error)
            self._read_at = -1
        return self._users

    def _ask(self) -> web.HTTPUnauthorized:
        challenge = f'Basic realm="{self._options.realm}", charset="UTF-8"'
        return web.HTTPUnauthorized(
            headers={hdrs.WWW_AUTHENTICATE: challenge}, text="A name and a password are needed.\n"
        )


def _credentials(value: str) -> tuple[bytes, bytes] | None:
    """Name and password of an Authorization field, or None where there are none."""
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon else None
