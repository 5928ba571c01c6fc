"""Names of middlewares: which of them guard nothing."""

from __future__ import annotations

from dockerproxy.settings.middlewares import MiddlewareSettings, harmless

SHIPPED = {"body_limit", "compress", "error_pages", "gzip", "security_headers"}


def test_a_name_guards_nothing_if_what_it_stands_for_guards_nothing() -> None:
    assert harmless({}) == SHIPPED
    defined = {
        "fast": MiddlewareSettings(use="compress"),
        "team": MiddlewareSettings(use="basic_auth"),
        "compress": MiddlewareSettings(use="mysite:guard"),
        "gzip": MiddlewareSettings(),
    }
    assert harmless(defined) == (SHIPPED - {"compress"}) | {"fast"}


def test_a_program_may_give_a_name_another_meaning() -> None:
    defined = {"small": MiddlewareSettings(use="gzip"), "body_limit": MiddlewareSettings()}
    assert harmless(defined, {"gzip", "body_limit"}) == SHIPPED - {"gzip", "body_limit"}
