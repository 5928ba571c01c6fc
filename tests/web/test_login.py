"""Logging in by a browser: the cookie, what it is good for, when it ends, and that no other site can use it."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest

from dockerproxy.discovery.engine.entry import Port
from dockerproxy.discovery.engine.own_container import OwnContainer
from dockerproxy.web.access.permission import CSRF_FIELD
from dockerproxy.web.credentials.sessions import LIFETIME, Sessions

from .conftest import Build
from .making import Answer, House

TOKEN = "correct horse battery"
OURS = "http://site.localhost:8888"  # where the house says it is asked
ADD, STATISTICS, LIVE = "dockerproxy-add", "dockerproxy-statistics", "dockerproxy-live"
ROUTE = {"name": "a", "host": "a.localhost", "upstreams": [{"url": "http://10.0.0.9:9"}]}


class Browser:
    """It keeps the cookie and, like the page, the value that goes with changes."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.cookie = ""
        self.csrf = ""

    async def log_in(self, token: str = TOKEN, code: str = "", **fields: str) -> Answer:
        shown = {"code": code} if code else {"token": token}
        answer = await self.post("login", shown, Origin=OURS, **fields)
        if answer.status == 200:
            self.csrf = answer.json["csrf"]
            morsel = morsel_of(answer)
            self.cookie = f"{morsel.key}={morsel.value}"
        return answer

    async def get(self, name: str, **fields: str) -> Answer:
        return await self.house.call(f"dockerproxy-{name}", Cookie=self.cookie or "none=1", **fields)

    async def post(self, name: str, body: Any, **fields: str) -> Answer:
        return await self.house.call(
            f"dockerproxy-{name}", "POST", f"/{name}", body, Cookie=self.cookie or "none=1", **fields
        )

    async def change(self, **fields: str) -> Answer:
        """As the page does it, apart from `fields`; one that is "" is not sent."""
        sent = {"Origin": OURS, "Sec_Fetch_Site": "same-origin", CSRF_FIELD: self.csrf, **fields}
        return await self.post("add", ROUTE, **{name: value for name, value in sent.items() if value})


def morsel_of(answer: Answer) -> Morsel[str]:
    (morsel,) = SimpleCookie(answer.fields["set-cookie"]).values()
    return morsel


@pytest.fixture
def house(build: Build) -> House:
    return build(admin_token=TOKEN)


@pytest.fixture
def browser(house: House) -> Browser:
    return Browser(house)


async def test_whoever_shows_the_token_sees_and_changes_things_from_then_on(browser: Browser) -> None:
    assert (await browser.get("statistics")).status == 401
    assert (await browser.get("session")).json == {"login": "needed", "csrf": None}

    assert (await browser.log_in()).status == 200

    assert (await browser.get("statistics")).status == 200
    assert (await browser.get("session")).json == {"login": "done", "csrf": browser.csrf}
    assert (await browser.change()).status == 201


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(browser: Browser) -> None:
    morsel = morsel_of(await browser.log_in())

    assert morsel["httponly"]
    assert morsel["samesite"] == "Strict"
    assert morsel["path"] == "/"
    assert not morsel["domain"]
    assert not morsel["secure"]
    assert TOKEN not in morsel.value


async def test_over_tls_the_cookie_is_bound_to_it_and_to_this_host(browser: Browser) -> None:
    answer = await browser.house.call(
        "dockerproxy-login", "POST", "/login", {"token": TOKEN}, Dockerproxy_Scheme="https"
    )
    assert morsel_of(answer)["secure"]
    assert morsel_of(answer).key.startswith("__Host-")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"token": "wrong"}, 401, "not the admin token"),
        ({"token": "w\udcff"}, 400, "not JSON"),
        ({"token": 5}, 422, 'expected {"token"'),
        ({}, 422, 'expected {"token"'),
        (b"token=x", 400, "not JSON"),
        (b'{"token": "\\ud800"}', 400, "not JSON"),
    ],
)
async def test_what_is_not_the_token_is_refused_in_words(browser: Browser, body: Any, status: int, words: str) -> None:
    answer = await browser.post("login", body)

    assert answer.status == status
    assert words in answer.json["error"]
    assert "set-cookie" not in answer.fields


@pytest.mark.parametrize("coding", ["deflate", "gzip"])
async def test_a_body_that_is_not_compressed_as_it_says_is_refused_in_words(
    browser: Browser, coding: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await browser.post("login", b"garbage, not compressed", Content_Encoding=coding)

    assert answer.status == 400
    assert "error" in answer.json
    assert "Traceback" not in caplog.text
    assert "Error" not in caplog.text


async def test_a_login_is_no_way_to_have_much_read(browser: Browser) -> None:
    answer = await browser.post("login", {"token": "x" * 100_000})

    assert answer.status == 413


async def test_guessing_by_login_is_slowed_down_like_guessing_by_bearer(browser: Browser) -> None:
    for _ in range(5):
        assert (await browser.log_in("wrong")).status == 401
    assert (await browser.log_in()).status == 429


async def linked(house: House, *, remote: str = "127.0.0.1", **fields: str) -> Answer:
    return await house.call("dockerproxy-login-link", "POST", "/login-link", {}, remote=remote, **fields)


async def test_a_link_logs_one_browser_in_without_the_token(browser: Browser) -> None:
    link = (await linked(browser.house, Authorization=f"Bearer {TOKEN}")).json
    assert link["url"] == f"http://root.localhost:8888/#login={link['code']}"
    assert link["seconds"] == 3600
    assert TOKEN not in str(link)

    assert (await browser.log_in(code=link["code"])).status == 200
    assert (await browser.get("statistics")).status == 200

    again = await Browser(browser.house).log_in(code=link["code"])
    assert again.status == 401
    assert "`dockerproxy login` prints a new one" in again.json["error"]


async def test_only_whoever_may_operate_gets_a_link(browser: Browser, build: Build) -> None:
    assert (await linked(browser.house)).status == 401
    assert (await linked(build())).status == 409  # nobody has to log in there
    assert (await linked(build(), remote="192.0.2.1")).status == 403


async def test_a_new_token_ends_the_links_of_the_old_one(browser: Browser) -> None:
    link = (await linked(browser.house, Authorization=f"Bearer {TOKEN}")).json
    settings = browser.house.registry.settings
    browser.house.registry.reload(settings.model_copy(update={"admin_token": "another token"}))

    assert (await browser.log_in(code=link["code"])).status == 401


async def test_guessing_codes_is_slowed_down_like_guessing_the_token(browser: Browser) -> None:
    for _ in range(5):
        assert (await browser.log_in(code="wrong")).status == 401
    assert (await browser.log_in(code="wrong")).status == 429
    assert (await browser.log_in()).status == 429


async def test_the_link_names_the_port_that_browsers_see(build: Build) -> None:
    plain = build(admin_token=TOKEN, listen=":80", admin_host="admin.example.com")
    assert (await linked(plain, Authorization=f"Bearer {TOKEN}")).json["url"].startswith("http://admin.example.com/#")


async def test_in_a_container_the_link_names_the_published_port(browser: Browser) -> None:
    ports = (Port(8888, 80, "0.0.0.0"), Port(8888, 80, "::"), Port(9999, 1))
    browser.house.control.discovery.own = OwnContainer("c1", "proxy", published=ports)

    link = (await linked(browser.house, Authorization=f"Bearer {TOKEN}")).json

    assert link["url"] == f"http://root.localhost/#login={link['code']}"


async def test_who_is_logged_in_stays_so_while_somebody_guesses(browser: Browser) -> None:
    await browser.log_in()
    for _ in range(5):
        await Browser(browser.house).log_in("wrong")

    assert (await browser.get("statistics")).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {CSRF_FIELD: ""},
        {CSRF_FIELD: "guessed"},
        {"Origin": "http://evil.localhost:8888"},
        {"Origin": "null"},
        {"Origin": "", "Sec_Fetch_Site": ""},
        {"Origin": "", "Sec_Fetch_Site": "same-site"},
    ],
)
async def test_a_change_that_is_not_from_our_page_is_refused(browser: Browser, fields: dict[str, str]) -> None:
    await browser.log_in()

    assert (await browser.change(**fields)).status == 403
    assert browser.house.registry.route("a") is None


async def test_a_browser_that_sends_only_the_one_or_the_other_sign_of_its_page_is_understood(
    browser: Browser,
) -> None:
    await browser.log_in()

    assert (await browser.change(Sec_Fetch_Site="")).status == 201
    assert (await browser.change(Origin="")).status == 409


async def test_the_value_of_another_session_does_not_count(house: House) -> None:
    one, other = Browser(house), Browser(house)
    await one.log_in()
    await other.log_in()
    assert one.cookie != other.cookie

    assert (await one.change(**{CSRF_FIELD: other.csrf})).status == 403


async def test_a_program_with_the_token_needs_none_of_it(house: House) -> None:
    answer = await house.call(ADD, "POST", "/add", ROUTE, Authorization=f"Bearer {TOKEN}")

    assert answer.status == 201


async def test_a_wrong_bearer_is_not_made_up_for_by_a_cookie(browser: Browser) -> None:
    await browser.log_in()

    assert (await browser.get("statistics", Authorization="Bearer wrong")).status == 401


async def test_after_logging_out_the_cookie_is_worth_nothing(browser: Browser) -> None:
    await browser.log_in()
    assert (await browser.post("logout", {}, Origin=OURS)).status == 403

    answer = await browser.post("logout", {}, Origin=OURS, **{CSRF_FIELD: browser.csrf})

    assert answer.status == 200
    assert morsel_of(answer).value == ""
    assert (await browser.get("statistics")).status == 401


async def test_a_program_may_log_out_though_it_is_in_no_session(house: House) -> None:
    answer = await house.call("dockerproxy-logout", "POST", "/logout", {}, Authorization=f"Bearer {TOKEN}")

    assert answer.status == 200


async def test_a_new_token_ends_the_sessions_of_the_old_one(browser: Browser) -> None:
    await browser.log_in()
    settings = browser.house.registry.settings
    browser.house.registry.reload(settings.model_copy(update={"admin_token": "another token"}))

    assert (await browser.get("statistics")).status == 401


async def test_where_no_token_is_asked_for_there_is_nothing_to_log_in_to(build: Build) -> None:
    browser = Browser(build())

    assert (await browser.get("session")).json == {"login": "none", "csrf": None}
    answer = await browser.log_in()
    assert answer.status == 409
    assert "no login is needed" in answer.json["error"]
    assert (await browser.house.call("dockerproxy-session", remote="192.0.2.1")).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "http://["])
async def test_another_site_cannot_log_a_browser_in(
    browser: Browser, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await browser.post("login", {"token": TOKEN}, Origin=origin)

    assert answer.status == 403
    assert not caplog.records


def test_a_session_ends_by_itself() -> None:
    sessions = Sessions()
    session = sessions.begin(TOKEN, 100.0)

    assert sessions.find(session.id, TOKEN, 100.0 + LIFETIME - 1) is session
    assert sessions.find(session.id, TOKEN, 100.0 + LIFETIME) is None
    assert sessions.find("made up", TOKEN, 100.0) is None
    assert session.id not in repr((session, sessions))


def test_sessions_are_bounded_and_the_oldest_ends_first() -> None:
    sessions = Sessions(most=2)
    first, second, third = (sessions.begin(TOKEN, now) for now in (0.0, 1.0, 2.0))

    assert len(sessions) == 2
    assert sessions.find(first.id, TOKEN, 3.0) is None
    assert sessions.find(second.id, TOKEN, 3.0) is second
    assert sessions.find(third.id, TOKEN, 3.0) is third


def test_expired_sessions_are_forgotten() -> None:
    sessions = Sessions()
    sessions.begin(TOKEN, 0.0)
    sessions.begin(TOKEN, LIFETIME + 1)

    assert len(sessions) == 1
