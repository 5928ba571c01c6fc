"""What a person does with the dashboard, and sees."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dockerproxy.demo import Behaviour, ContainerSpec

from ..support.browser import Page
from ..support.certificate import Authority
from .conftest import ENABLE, FAST, MakeSite, Site

NOWHERE = "http://127.0.0.1:9"
# It would call `hacked`, were it ever taken for markup.
TRAP = "<img src=x onerror=hacked()>"
SHOPS = "[aria-label='Upstreams of shop']"
# The rows of routes, as text: name -> the whole row.
ROW = "[...document.querySelectorAll('tr.route')].find(row => row.querySelector('.name').textContent === '{}')"


def row(route: str) -> str:
    return ROW.format(route)


RATE = f"/[1-9]/.test({row('shop')}.querySelector('.curved .number').textContent)"


async def seen_in(page: Page, route: str, words: str) -> None:
    """Return when the row of the route shows these words."""
    await page.until(f"{row(route)}?.innerText.includes({json.dumps(words)})", f"{words!r} in the row of {route}")


@contextlib.asynccontextmanager
async def requests_to(site: Site, host: str) -> AsyncIterator[None]:
    """Somebody who asks on and on."""

    async def ask() -> None:
        while True:
            await site.ask(host)
            await asyncio.sleep(FAST)

    asking = asyncio.create_task(ask())
    yield
    asking.cancel()
    await asyncio.wait([asking])


async def test_it_shows_routes_upstreams_and_the_engine(site: Site, page: Page) -> None:
    for _ in range(4):
        assert await site.ask("shop.localhost") == 200
    await page.open(site.url())

    await seen_in(page, "shop", "2 of 2 up")
    async with requests_to(site, "shop.localhost"):  # the rate is that of the last seconds
        await page.until(RATE, "a rate")
    await page.until(f"{row('shop')}.innerText.includes('ms')", "latencies")
    await page.sees("engine connected", "header")
    assert "shop-1" in await page.text(SHOPS)
    links = await page.value(f"[...{row('shop')}.querySelectorAll('a')].map(link => link.href)")
    assert links == [site.url("shop.localhost")]


async def test_looking_at_the_dashboard_is_no_request_that_counts(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.sees("0 since the start", "#tiles")
    assert await site.ask("shop.localhost") == 200
    await page.sees("1 since the start", "#tiles")


async def test_where_there_is_nothing_it_says_so_without_an_empty_table(make_site: MakeSite, page: Page) -> None:
    site = await make_site()
    await page.open(site.url())
    await page.until("document.querySelector('#routes-empty').checkVisibility()")
    assert "No routes yet" in await page.text("#routes")
    assert "Latency" not in await page.text("#routes")


async def test_a_route_with_many_hosts_shows_some_and_tells_all_when_it_is_opened(
    make_site: MakeSite, page: Page
) -> None:
    hosts = [f"h{number}.example.com" for number in range(12)]
    site = await make_site(routes=[{"name": "many", "host": hosts, "upstreams": [NOWHERE]}])
    await page.open(site.url())
    await seen_in(page, "many", "h3.example.com")
    await seen_in(page, "many", "and 8 more")
    assert "h4.example.com" not in await page.value(f"{row('many')}.innerText")
    await page.sees(", ".join(hosts), ".facts")


async def test_a_container_that_stops_is_seen_to_go(site: Site, page: Page) -> None:
    await page.open(site.url())
    await seen_in(page, "shop", "2 of 2 up")

    await site.engine.containers.stop("shop-2")

    await seen_in(page, "shop", "1 of 1 up")
    await page.sees("shop-2 of shop has gone", "#changes")


async def test_a_click_drains_an_upstream_and_another_one_brings_it_back(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.click("[aria-label='Drain shop-1']")

    await page.sees("shop-1 gets no new requests", "#toasts")
    assert (await site.upstream("shop", "shop-1"))["overrides"]["drained"]
    assert (await site.upstream("shop", "shop-1"))["state"] == "draining"
    await seen_in(page, "shop", "1 of 2 up")
    await seen_in(page, "shop", "1 drained")

    await page.click("[aria-label='Undrain shop-1']")
    await seen_in(page, "shop", "2 of 2 up")
    assert (await site.upstream("shop", "shop-1"))["state"] == "up"


async def test_draining_the_last_one_is_asked_for_twice(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.click("[aria-label='Drain blog']")
    await page.sees("No other upstream of blog is up", "dialog")
    assert (await site.upstream("blog", "blog"))["state"] == "up"

    await page.click("dialog button", "Drain it all the same")
    await seen_in(page, "blog", "0 of 1 up")


async def test_a_bench_counts_down_and_can_be_ended(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.click("[aria-label='Bench shop-1']")
    await page.sees("benched, back in 1", ".state.benched")
    await page.sees("1 upstream benched", "#notices")
    await page.until("/back in 1.m 2/.test(document.querySelector('.state.benched').innerText)", "a countdown")

    await page.click("[aria-label='Unbench shop-1']")
    await seen_in(page, "shop", "2 of 2 up")


async def test_a_weight_is_set_and_reset(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.click("[aria-label='Weight shop-1']")
    await page.value("document.querySelector('dialog input').select()")
    await page.write("5")
    await page.press("Enter")
    await page.sees("5 (set here)", SHOPS)
    assert (await site.upstream("shop", "shop-1"))["weight"] == 5

    await page.click("[aria-label='Weight shop-1']")
    await page.click("dialog button", "Back to what its source says")
    await page.until("!document.body.innerText.includes('set here')")
    assert (await site.upstream("shop", "shop-1"))["weight"] == 1


async def test_maintenance_begins_with_a_message_and_ends(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.click("[aria-label='Maintenance: blog']")
    await page.write("Back at ten")
    await page.press("Enter")

    await page.sees("Visitors get 503: Back at ten")
    await seen_in(page, "blog", "maintenance")
    assert await site.ask("blog.localhost") == 503

    await page.click("[aria-label='End maintenance: blog']")
    await page.until(f"!{row('blog')}.innerText.includes('maintenance')")
    assert await site.ask("blog.localhost") == 200


async def test_a_pause_holds_requests_until_it_is_ended(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.click("[aria-label='Pause: blog']")
    await page.click("dialog button", "Pause")
    await page.sees("Requests wait; they go through in")

    await page.click("[aria-label='Resume: blog']")
    await page.until(f"!{row('blog')}.innerText.includes('paused')")
    assert await site.ask("blog.localhost") == 200


async def test_a_refusal_is_told_in_the_words_of_the_proxy(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.click("[aria-label='Weight shop-1']")
    await page.value("document.querySelector('dialog form').noValidate = true")
    await page.value("document.querySelector('dialog input').value = 1000")
    await page.press("Enter")

    await page.sees("100", "#dialog-refusal")
    page.problems.clear()  # the browser notes the status in its console


async def test_a_container_that_is_not_routed_tells_why_and_what_would_mend_it(make_site: MakeSite, page: Page) -> None:
    labels = {"dockerproxy.hots": "office.localhost"}
    office = ContainerSpec("office", labels=labels, extra_ports=("9090/tcp",))
    site = await make_site(office, ContainerSpec("off", labels={"dockerproxy.enable": "false"}))
    await page.open(site.url())

    await page.sees("did you mean dockerproxy.host?", "#containers")
    await page.sees("left out on purpose", "#containers")
    await page.sees("1 labelled container not routed", "#notices")
    await page.click("[aria-label='Explain office']")
    await page.sees("dockerproxy.hots=office.localhost", "#containers .explained")
    await page.sees("What would have to change", "#containers .explained")


async def test_a_certificate_that_ends_soon_needs_a_look(make_site: MakeSite, page: Page, tmp_path: Path) -> None:
    entry = Authority(tmp_path).entry("shop.example", begins=-80)
    site = await make_site(listen="127.0.0.1:0,https://127.0.0.1:0", tls={"certificates": [entry]})
    await page.open(site.url())
    await page.sees("The certificate", "#notices")
    await page.sees("(shop.example) expires on ", "#notices")


async def test_an_engine_that_goes_away_is_told_and_routes_stay(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.sees("engine connected", "header")
    await site.engine.stop(keep_containers=True)
    await page.sees("engine reconnecting", "header")
    await page.sees("The engine cannot be reached", "#notices")
    await seen_in(page, "shop", "2 of 2 up")
    await page.sees("The engine cannot be reached", "#announcements")
    assert re.match(r"The engine cannot be reached\. [A-Z]", await page.text("#notices"))

    await site.engine.start()
    await page.sees("engine connected", "header")


async def test_the_page_finds_the_proxy_again_after_a_restart(site: Site, page: Page) -> None:
    await page.open(site.url())
    await page.sees("live", "#page-state")
    await site.server.stop(0.0)
    await page.sees("connection lost", "#page-state")
    await site.start()
    await page.sees("live", "#page-state")
    page.problems.clear()  # of the time when there was no proxy


async def test_no_text_of_others_becomes_markup(make_site: MakeSite, page: Page) -> None:
    site = await make_site(
        ContainerSpec("trap", labels={"dockerproxy.route": f"route {TRAP}", "dockerproxy.host": "a.localhost"}),
        ContainerSpec("label", labels={f"dockerproxy.{TRAP}": "x", "dockerproxy.port": TRAP, "dockerproxy.host": TRAP}),
        ContainerSpec("silent", labels={**ENABLE, "dockerproxy.max_attempts": "1"}, replies=Behaviour.SILENT),
        routes=[{"name": "named", "host": "n.localhost", "upstreams": [{"name": f"named {TRAP}", "url": NOWHERE}]}],
    )
    await site.knows(f"route {TRAP}", "silent")
    assert await site.ask("a.localhost", **{"User-Agent": TRAP, "Referer": TRAP, "X-Forwarded-For": TRAP}) == 200
    await site.ask("silent.localhost", f"?{TRAP}")
    await page.open(site.url())

    await seen_in(page, f"route {TRAP}", "1 of 1 up")
    await page.click(f"[aria-label={json.dumps(f'Maintenance: route {TRAP}')}]")
    await page.write(TRAP)
    await page.press("Enter")
    await page.sees(f"Visitors get 503: {TRAP}")
    await page.click("[aria-label='Explain label']")
    await page.sees(TRAP, "#containers .explained")
    await page.sees(f"named {TRAP}")
    # All pictures are ours, no script but ours is there, and nothing was even tried: the policy would have told.
    assert await page.value("[...document.images].map(image => image.getAttribute('src'))") == ["dashboard/icon.svg"]
    assert await page.value("[...document.scripts].map(script => script.getAttribute('src'))") == ["dashboard/main.js"]


TOKEN = "correct horse battery"


@pytest.fixture
async def locked(make_site: MakeSite) -> Site:
    """A site whose dashboard needs the token."""
    shops = [ContainerSpec(f"shop-{number}", labels={**ENABLE, "dockerproxy.route": "shop"}) for number in (1, 2)]
    site: Site = await make_site(*shops, admin_token=TOKEN)
    await site.knows("shop")
    return site


async def test_the_login_says_nothing_of_a_connection_that_there_is_not(locked: Site, page: Page) -> None:
    await page.open(locked.url())
    await page.until("document.activeElement.id === 'token'")
    assert "connecting" not in await page.text("header")
    assert "statistics" not in await page.text("footer")
    await log_in(page)
    await page.sees("live", "header")
    await page.sees("statistics", "footer")


async def log_in(page: Page) -> None:
    await page.until("document.activeElement.id === 'token'")
    await page.write(TOKEN)
    await page.press("Enter")
    await seen_in(page, "shop", "2 of 2 up")


async def test_logging_in_operating_and_logging_out(locked: Site, page: Page) -> None:
    await page.open(locked.url())
    await page.until("document.activeElement.id === 'token'")
    assert "shop" not in await page.text("body")
    await page.write("wrong")
    await page.press("Enter")
    await page.sees("that is not the admin token", "#login-refusal")
    page.problems.clear()  # the browser notes the status in its console

    await log_in(page)
    await page.click("[aria-label='Drain shop-1']")
    await seen_in(page, "shop", "1 of 2 up")
    assert await page.value("document.cookie") == ""  # no script can read it

    await page.open(locked.url())
    await seen_in(page, "shop", "1 of 2 up")  # the session goes on in a page that is opened anew
    await page.click("#logout")
    await page.until("document.activeElement?.id === 'token'")
    assert "shop" not in await page.text("body")


async def test_a_link_logs_a_browser_in_once_and_leaves_nothing_of_itself_behind(locked: Site, page: Page) -> None:
    link = locked.url() + "#login=" + await locked.login_code(TOKEN)
    await page.open(link)
    await seen_in(page, "shop", "2 of 2 up")
    assert "login" not in await page.value("location.href")
    await page.click("#logout")
    await page.until("document.activeElement?.id === 'token'")

    await page.open(locked.url("shop.localhost"))
    await page.open(link)
    await page.sees("dockerproxy login", "#login-refusal")
    assert "shop" not in await page.text("body")
    page.problems.clear()  # the browser notes the status in its console


async def test_a_page_of_another_site_changes_nothing_through_the_browser_of_somebody_logged_in(
    locked: Site, page: Page
) -> None:
    await page.open(locked.url())
    await log_in(page)
    attack = (
        f"fetch({json.dumps(locked.url() + 'drain')}, {{method: 'POST', mode: 'no-cors', credentials: 'include',"
        " body: JSON.stringify({name: 'shop-1'})}).then(answer => answer.status, error => String(error))"
    )
    assert await page.value(attack) == 403  # from its own page, but without the page's value
    await page.open(locked.url("shop.localhost"))
    assert await page.value(attack) == 0  # what came of it, another site does not see
    page.problems.clear()

    assert (await locked.upstream("shop", "shop-1", TOKEN))["state"] == "up"


async def test_a_page_of_another_site_changes_nothing_where_no_login_is_needed(site: Site, page: Page) -> None:
    await page.open(site.url("shop.localhost"))
    url = json.dumps(site.url() + "drain")
    await page.value(
        f"fetch({url}, {{method: 'POST', mode: 'no-cors', body: JSON.stringify({{name: 'shop-1'}})}}).then(() => 1)"
    )
    page.problems.clear()

    assert (await site.upstream("shop", "shop-1"))["state"] == "up"


# By keyboard, by screen reader, in any size


async def test_everything_can_be_done_by_keyboard(site: Site, page: Page) -> None:
    await page.open(site.url())
    await seen_in(page, "shop", "2 of 2 up")
    await page.press("Tab")
    assert await page.value("document.activeElement.className") == "skip"
    reached = set[str]()
    for _ in range(80):
        await page.press("Tab")
        reached.add(await page.value("document.activeElement.ariaLabel ?? document.activeElement.innerText"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.value(f"document.activeElement === document.body || {outline} !== 'none'")
        if await page.value("document.activeElement === document.body"):
            break
    assert {"shop", "blog", "Drain shop-1", "Bench shop-2", "Weight blog", "Pause: blog", "Requests/s"} <= reached

    await page.value("document.querySelector(\"[aria-label='Maintenance: blog']\").focus()")
    await page.press("Enter")
    await page.until("document.querySelector('dialog').open")
    await page.press("Escape")
    await page.until("!document.querySelector('dialog').open")
    assert await page.value("document.activeElement.ariaLabel") == "Maintenance: blog"
    await page.value(f"{row('blog')}.querySelector('.toggle').focus()")
    await page.press("Enter")
    await page.until(f"{row('blog')}.querySelector('.toggle').ariaExpanded === 'false'")


async def test_the_focus_stays_while_reports_come(site: Site, page: Page) -> None:
    await page.open(site.url())
    await seen_in(page, "shop", "2 of 2 up")
    await page.value("document.querySelector(\"[aria-label='Drain shop-2']\").focus()")
    await site.engine.containers.stop("shop-1")
    await seen_in(page, "shop", "1 of 1 up")

    assert await page.value("document.activeElement.ariaLabel") == "Drain shop-2"


@pytest.mark.parametrize("width", [360, 1280])
async def test_a_screen_reader_finds_landmarks_tables_and_names(site: Site, page: Page, width: int) -> None:
    await page.look(width)
    await page.open(site.url())
    await seen_in(page, "shop", "2 of 2 up")
    await page.call("Accessibility.enable")
    nodes = (await page.call("Accessibility.getFullAXTree"))["nodes"]
    named: dict[str, list[str]] = {}
    for node in nodes:
        if not node.get("ignored"):
            named.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))

    assert {"banner", "main", "contentinfo", "search", "table", "row", "cell"} <= named.keys()
    assert {"Overview", "Changes since this page was opened"} <= set(named["region"])
    assert any(name.startswith("Routes") for name in named["region"])
    assert "Upstreams of shop" in named["table"]
    assert any(name.startswith("shop") for name in named["rowheader"])
    assert all(named["button"])
    assert all(named["link"])


async def test_it_is_as_wide_as_the_window_and_no_wider(make_site: MakeSite, page: Page) -> None:
    long = "x" * 60
    containers = [
        ContainerSpec(
            f"long-{long}-1",
            labels={**ENABLE, "dockerproxy.route": f"long-{long}", "dockerproxy.host": f"{long}.{long}.localhost"},
        ),
        ContainerSpec("wrong", labels={f"dockerproxy.{long}{long}": long}),
    ]
    site = await make_site(*containers)
    await site.knows(f"long-{long}")
    await page.open(site.url())
    await seen_in(page, f"long-{long}", "1 of 1 up")
    for width in (360, 600, 900, 1280, 1600):
        await page.look(width)
        await page.until(f"innerWidth === {width}")
        assert await page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
    await page.look(360)
    await page.click(f"[aria-label='Weight long-{long}-1']")
    assert await page.value("(dialog => dialog.scrollWidth <= dialog.clientWidth)(document.querySelector('dialog'))")


@pytest.mark.parametrize("dark", [False, True])
async def test_text_stands_out_from_what_is_behind_it(make_site: MakeSite, page: Page, dark: bool) -> None:
    site = await make_site(
        ContainerSpec("up", labels=ENABLE),
        ContainerSpec(
            "down",
            labels={**ENABLE, "dockerproxy.max_attempts": "1", "dockerproxy.consecutive_errors": "1"},
            replies=Behaviour.REFUSES,
        ),
        ContainerSpec("wrong", labels={"dockerproxy.hots": "x"}),
    )
    await site.knows("up", "down")
    await page.look(1280, dark=dark)
    await page.open(site.url())
    await seen_in(page, "up", "1 of 1 up")
    await site.ask("down.localhost")
    await page.sees("last error")
    await page.click("[aria-label='Maintenance: up']")
    await page.until("document.querySelector('dialog').open")
    await page.press("Enter")
    await page.sees("Visitors get 503")

    assert await page.value(WEAK) == []


# The visible texts whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3), with the contrast.
WEAK = """(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parts(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter(node => node.nodeType === 3).map(node => node.data.trim()).join("");
    if (!text || element.disabled || !element.checkVisibility()) continue;
    const [one, other] = [light(parts(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) weak.push([text, contrast]);
  }
  return weak;
})()"""


# Many routes


async def test_of_five_hundred_routes_only_those_that_changed_are_drawn_again(make_site: MakeSite, page: Page) -> None:
    routes = [
        {"name": f"r{number:03}", "host": f"r{number:03}.localhost", "upstreams": [{"url": NOWHERE}]}
        for number in range(500)
    ]
    site = await make_site(ContainerSpec("shop", labels=ENABLE), routes=routes)
    await site.knows("shop")
    await page.open(site.url())
    await page.sees("Routes 501", "h2#routes-title")
    watch = (
        "window.drawn = []; new PerformanceObserver(list => drawn.push(...list.getEntries().map(e => e.detail.rows)))"
    )
    await page.value(f"{watch}.observe({{type: 'measure'}})")
    assert await site.ask("shop.localhost") == 200
    await page.until("drawn.some(rows => rows > 0)")

    # The route itself, and our own that bring this page.
    assert max(await page.value("drawn")) <= 10


async def test_the_filter_and_the_order_of_the_columns(site: Site, page: Page) -> None:
    await page.open(site.url())
    await seen_in(page, "shop", "2 of 2 up")
    names = "[...document.querySelectorAll('tr.route .name')].map(name => name.textContent)"
    assert await page.value(names) == ["blog", "shop"]
    async with requests_to(site, "shop.localhost"):
        await page.until(RATE, "a rate")
        await page.click("thead button", "Requests/s")  # the order is made now, and kept
        await page.until(f"{names}.join() === 'shop,blog'")
    assert await page.value("document.querySelector('[aria-sort]').innerText") == "Requests/s"

    await page.click("#filter")
    await page.write("shop-2")
    await page.until(f"{names}.join() === 'shop'")
    await page.write(" nothing")
    await page.sees("No route matches the filters", "#routes")
    await page.value("document.querySelector('#filter').value = ''")
    await page.click("#builtin")
    await page.sees("dockerproxy-statistics", "#routes")


async def test_a_route_whose_last_container_has_gone_says_that_it_lingers(site: Site, page: Page) -> None:
    await page.open(site.url())
    await seen_in(page, "blog", "1 of 1 up")
    assert "lingers" not in await page.value(f"{row('blog')}.innerText")
    await site.engine.containers.stop("blog")
    await seen_in(page, "blog", "lingers")
    await page.sees("Its last container has gone: requests wait for a new one")
    await site.engine.containers.start("blog")
    await page.until(f"!{row('blog')}.innerText.includes('lingers')", "the container is back")


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString", "hasOwnProperty"])
async def test_a_route_may_be_called_as_what_every_object_has(make_site: MakeSite, page: Page, name: str) -> None:
    labels = {**ENABLE, "dockerproxy.route": name, "dockerproxy.host": "odd.localhost"}
    site = await make_site(ContainerSpec("odd", labels=labels))
    await page.open(site.url())
    await seen_in(page, name, "1 of 1 up")
    figures = f"[...{row(name)}.querySelectorAll('td')].map(cell => cell.innerText).join(' ')"
    assert "NaN" not in await page.value(figures)
    async with requests_to(site, "odd.localhost"):
        await page.until(f"/[1-9]/.test({row(name)}.querySelector('.curved .number').textContent)", "a rate")
        await page.until(f"{row(name)}.innerText.includes('ms')", "latencies")
    await page.until(f"/ 0$|^0$/.test({row(name)}.querySelector('.curved .number').textContent.trim())", "no rate")
    assert "NaN" not in await page.value(figures)
