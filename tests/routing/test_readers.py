"""Whatever an application makes of a path, it is not led past a guard: readers as they are in use, and any path.

The readers here are written anew, with Python's own means, so that they share no mistake with the proxy.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockerproxy.routing import Route, RouteTable

from .making import found, route

Reader = Callable[[str], str]

PARTS = [
    "/", "/", "admin", "public", "/admin", "/public", "..", "/..", ".", "/.", "%2e", "%2E%2e", "%2f", "%5c", "\\", ";",
    ";a=b", "..;", "%61dmin", "admi%6e", "p%75blic", "%70ublic", "x", "%20", "%00", "%09", "%25", "%2", "%", "%3b",
    "%40", "+", "users",
]  # fmt: skip


def cleaned(path: str) -> str:
    """As `path.Clean` of Go and `normpath` do it."""
    return "/" + posixpath.normpath(path).lstrip("/")


def nginx(path: str) -> str:
    return cleaned(re.sub("/+", "/", unquote(path)))


def web_server_gateway(path: str) -> str:
    return cleaned(unquote(path))


def as_it_is(path: str) -> str:
    return path


def only_decoded(path: str) -> str:
    return unquote(path)


def dots_but_no_escapes(path: str) -> str:
    return cleaned(path)


def browser(path: str) -> str:
    """A URL as the WHATWG has it: a backslash is a slash, `%2e` is a dot, and nothing else is decoded."""
    return cleaned(re.sub("%2e", ".", path.replace("\\", "/"), flags=re.IGNORECASE))


def tomcat(path: str) -> str:
    without = "/".join(segment.partition(";")[0] for segment in path.split("/"))
    return cleaned(unquote(without))


def parameters_after_decoding(path: str) -> str:
    return cleaned("/".join(segment.partition(";")[0] for segment in unquote(path).split("/")))


def backslashes(path: str) -> str:
    return cleaned(unquote(path).replace("\\", "/"))


def backslashes_and_parameters(path: str) -> str:
    decoded = unquote(path).replace("\\", "/")
    return cleaned("/".join(segment.partition(";")[0] for segment in decoded.split("/")))


def trimmed(path: str) -> str:
    """Blanks at the ends of a segment, and what stands behind a NUL, are left out."""
    return cleaned("/".join(segment.partition("\0")[0].strip() for segment in unquote(path).split("/")))


READERS = [
    nginx, web_server_gateway, as_it_is, only_decoded, dots_but_no_escapes, browser, tomcat, parameters_after_decoding,
    backslashes, backslashes_and_parameters, trimmed,
]  # fmt: skip

paths = st.lists(st.sampled_from(PARTS), max_size=7).map(lambda parts: "/" + "".join(parts))


def guarded(made: Route) -> Route:
    return replace(made, options=made.options.model_copy(update={"middlewares": ("password",)}))


GUARDED_PATH = RouteTable([route("site", "h"), guarded(route("admin", "h", "^/admin"))])
GUARDED_SITE = RouteTable([guarded(route("site", "h")), route("public", "h", "^/public")])
ONLY_PUBLIC = RouteTable([route("public", "h", "^/public")])


def is_below(path: str, name: str) -> bool:
    """Whether a path as an application reads it is that of `name`, or below it."""
    return path == f"/{name}" or path.startswith(f"/{name}/")


@pytest.mark.parametrize("reader", READERS)
@given(path=paths)
@example(path="/x%2f..%2fadmin")
@example(path="/x/..;/admin")
@example(path="/%61dmin%5c..")
@example(path="/%09%00%25../admin")
@example(path="//admin%20%00%61dmin%2e")
def test_nobody_gets_to_a_guarded_path(reader: Reader, path: str) -> None:
    if is_below(reader(path), "admin"):
        assert found(GUARDED_PATH, "h", path) in ("admin", "ambiguous_path")


@pytest.mark.parametrize("reader", READERS)
@given(path=paths)
@example(path="/public/..%2fadmin")
@example(path="/public/%2e%2e;/x")
def test_nobody_gets_from_an_open_path_into_a_guarded_site(reader: Reader, path: str) -> None:
    if not is_below(reader(path), "public"):
        assert found(GUARDED_SITE, "h", path) in ("site", "ambiguous_path")


@pytest.mark.parametrize("reader", [nginx, web_server_gateway, tomcat, backslashes, backslashes_and_parameters])
@given(path=paths)
def test_nobody_gets_from_what_is_published_to_what_is_not(reader: Reader, path: str) -> None:
    if not is_below(reader(path), "public"):
        assert found(ONLY_PUBLIC, "h", path) in ("unknown_path", "ambiguous_path")


@given(path=paths)
def test_what_is_written_plainly_is_answered(path: str) -> None:
    if re.fullmatch(r"(/[a-z+]+)+/?", path):
        assert found(GUARDED_PATH, "h", path) == ("admin" if is_below(path, "admin") else "site")
