"""What one line of the access log tells, and what it keeps to itself."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from dockerproxy.access_log.lines import line_maker
from dockerproxy.access_log.redaction import redacted_target
from dockerproxy.http1.head import RequestHead
from dockerproxy.proxy.record import Record

BEGAN = 1_793_000_000.25  # 2026-10-26T07:33:20.250Z


def record(target: str = "/a?b=c", lines: tuple[bytes, ...] = (), **values: Any) -> Record:
    head = RequestHead("GET", target, 1)
    head.host, head.lines, head.id = "blog.localhost", list(lines), "3fa2c1d0-1b"
    made = Record(lambda _record: None, head, "203.0.113.9")
    what = {"status": 200, "sent": 5, "received": 3, "route": "blog", "upstream": "web-1", "attempts": 2}
    times = {"began": BEGAN, "queue": 0.025, "connect": 0.0004, "first_byte": 0.0123, "total": 0.05}
    given = {**what, **times, **values}
    for name, value in given.items():
        setattr(made, name, value)
    return made


def test_the_combined_format_is_the_one_that_log_readers_know() -> None:
    line = line_maker("combined")(record(lines=(b"Referer: http://a/", b"User-Agent: Mozilla/5.0")))
    assert line == (
        '203.0.113.9 - - [26/Oct/2026:07:33:20 +0000] "GET /a?b=c HTTP/1.1" 200 5 "http://a/" "Mozilla/5.0" '
        '"blog.localhost" "blog" "web-1" 2 0.025000 0.000400 0.012300 0.050000 3 3fa2c1d0-1b\n'
    )


def test_what_is_not_known_is_a_hyphen() -> None:
    unrouted = record(route="", upstream="", attempts=0, status=404, queue=None, connect=None, first_byte=None)
    assert line_maker("combined")(unrouted).endswith(
        ' 404 5 "-" "-" "blog.localhost" "-" "-" 0 - - - 0.050000 3 3fa2c1d0-1b\n'
    )


def test_json_tells_the_same() -> None:
    entry = json.loads(line_maker("json")(record()))
    assert entry == {
        "time": "2026-10-26T07:33:20.250Z", "id": "3fa2c1d0-1b", "client": "203.0.113.9", "method": "GET",
        "host": "blog.localhost", "target": "/a?b=c", "version": "1.1", "status": 200, "cut": False, "bytes_sent": 5,
        "bytes_received": 3, "route": "blog", "upstream": "web-1", "attempts": 2, "queue": 0.025, "connect": 0.0004,
        "first_byte": 0.0123, "total": 0.05,
    }  # fmt: skip


def test_json_tells_how_a_path_was_read_where_it_was_written_otherwise() -> None:
    json_line = line_maker("json")
    assert json.loads(json_line(record("/x/../%61dmin//?a=/../b")))["path"] == "/admin/"
    for plain in ("/a%20b?c", "/a?b=/../c", "*", "-"):
        assert "path" not in json.loads(json_line(record(plain)))


def test_a_client_that_left_before_the_answer_is_told_as_nginx_does() -> None:
    assert json.loads(line_maker("json")(record(status=0, cut=True)))["status"] == 499


@pytest.mark.parametrize("form", ["combined", "json"])
def test_no_client_makes_a_line_without_bound(form: str) -> None:
    lines = (
        b"User-Agent: " + b"a" * 60_000,
        b"Referer: http://a/?token=" + b"b" * 60_000,
        b"X: c",
        b"X: " + b"d" * 60_000,
    )
    made = record(lines=lines)
    made.method = "M" * 60_000
    line = line_maker(form, ["User-Agent", "X"])(made)
    assert len(line) < 30_000
    assert "c, ddd" in line
    assert "bbb" not in line


@pytest.mark.parametrize("form", ["combined", "json"])
def test_chosen_headers_are_told_without_credentials(form: str) -> None:
    lines = (b"X-Tenant: acme", b"Authorization: Basic c2VjcmV0", b"Cookie: sid=secret", b"X-Tenant: more")
    line = line_maker(form, ["X-Tenant", "authorization", "Cookie"])(record(lines=lines))
    assert "acme, more" in line
    assert line.count("[redacted]") == 2
    assert "c2VjcmV0" not in line
    assert "sid" not in line


@pytest.mark.parametrize("form", ["combined", "json"])
@pytest.mark.parametrize("nasty", ['"', "\\", "\x1b[2J", "\x85", "\x9b1m", "\n", "\x00"])
def test_nothing_that_a_client_sends_ends_the_line_or_drives_a_terminal(form: str, nasty: str) -> None:
    line = line_maker(form, ["x"])(
        record(f"/{nasty}", (b"X: " + nasty.encode("latin-1"), b"Referer: " + nasty.encode("latin-1")), host=nasty)
    )
    assert line.count("\n") == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", line)
    if form == "json":
        assert json.loads(line)["target"] == f"/{nasty}"
    else:
        assert len(re.findall(r'(?<!\\)"', line)) == 14


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/plain", "/plain"),
        ("/a?page=2&token=abc&x=1", "/a?page=2&token=[redacted]&x=1"),
        ("/a?access_token=abc", "/a?access_token=[redacted]"),
        ("/a?X-Amz-Signature=abc&api_key=k", "/a?X-Amz-Signature=[redacted]&api_key=[redacted]"),
        ("/a?PASSWORD=p;pwd=q", "/a?PASSWORD=[redacted];pwd=[redacted]"),
        ("/callback?code=abc&state=s", "/callback?code=[redacted]&state=s"),
        ("/a?zipcode=123&author=me", "/a?zipcode=123&author=me"),
        ("/token=abc", "/token=abc"),
        ("/explain?header=Authorization%3A+Bearer+abc&url=x", "/explain?header=[redacted]&url=x"),
        ("/a?to%6ben=abc", "/a?to%6ben=[redacted]"),
        ("/a?user[password]=p&user[name]=ada", "/a?user[password]=[redacted]&user[name]=ada"),
        ("/a?user%5Bpassword%5D=p", "/a?user%5Bpassword%5D=[redacted]"),
        ("/a?token[]=abc&token%20=abc&token+=abc", "/a?token[]=[redacted]&token%20=[redacted]&token+=[redacted]"),
        ("/a?a=1?token=abc", "/a?a=1?token=[redacted]"),
        ("/a?jwt=a&sid=b&pass=c&key=d", "/a?jwt=[redacted]&sid=[redacted]&pass=[redacted]&key=[redacted]"),
        ("/a?keyboard=a&compass=b&inside=c", "/a?keyboard=a&compass=b&inside=c"),
    ],
)
def test_credentials_in_a_query_are_redacted(target: str, told: str) -> None:
    assert redacted_target(target) == told


def test_credentials_in_the_page_before_are_redacted_too() -> None:
    line = line_maker("combined")(record(lines=(b"Referer: http://a/reset?token=abc",)))
    assert "http://a/reset?token=[redacted]" in line


@pytest.mark.parametrize("form", ["combined", "json"])
@pytest.mark.parametrize("name", ["X-Access-Token", "X-Vault-Token", "apikey", "X-Goog-Api-Key", "X-Hub-Signature"])
def test_fields_that_bear_credentials_by_their_names_are_redacted(form: str, name: str) -> None:
    line = line_maker(form, [name])(record(lines=(name.encode() + b": c2VjcmV0",)))
    assert "[redacted]" in line
    assert "c2VjcmV0" not in line


def test_months_are_told_in_english() -> None:
    stamps = [line_maker("combined")(record(began=month * 2_629_746.0 + 1e6)).split("/")[1] for month in range(12)]
    assert stamps == [time.strftime("%b", time.gmtime(month * 2_629_746.0 + 1e6)) for month in range(12)]
