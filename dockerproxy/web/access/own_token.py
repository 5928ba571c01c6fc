"""The settings with the proxy's own admin token in them, where a token is wanted and nobody has set one.

The file is `process.own_token`'s; here stands when there has to be one, and what is said of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from dockerproxy.errors import StoreError
from dockerproxy.process import own_token
from dockerproxy.process.logs import ONCE
from dockerproxy.settings import Settings
from dockerproxy.web.context import Control

log = logging.getLogger("dockerproxy")


def is_wanted(settings: Settings) -> bool:
    """Whether these settings ask for a token that nobody has set."""
    return settings.effective_admin_access == "token" and settings.admin_token is None


def with_own_token(settings: Settings) -> tuple[Settings, bool]:
    """The settings, with the token of the state folder where one is wanted; and whether it has just been made.

    A token that others may know is replaced, and the log says so. Raises StoreError where none can be kept: then
    nothing is served, rather than something open or shut for everybody.
    """
    if not is_wanted(settings):
        return settings, False
    try:
        token = own_token.find(settings.state_dir)
    except StoreError as error:
        log.warning("%s; a new one is made now", error)
        token = None
    made = token is None
    if token is None:
        token = own_token.make(settings.state_dir)
    return settings.model_copy(update={"admin_token": token}), made


def announce(control: Control, link: Callable[[str], str]) -> None:
    """Say that a token was made, with a link that logs a browser in: to standard error alone.

    link: the address for a code
    """
    settings = control.settings
    if not settings.admin_token:
        return
    path = settings.state_dir / own_token.FILE_NAME
    log.info("an admin token was made: it is kept in %s, and `dockerproxy token` prints it", path)
    code = control.codes.begin(settings.admin_token, time.monotonic())
    log.info(
        "this link logs a browser in, once and within an hour; `dockerproxy login` prints a new one: %s",
        link(code), extra=ONCE,
    )  # fmt: skip
