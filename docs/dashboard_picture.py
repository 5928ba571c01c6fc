"""Draws dashboard.svg: `python -m docs.dashboard_picture`. It needs Chromium, and takes a minute.

Nothing in it is made up: a proxy with the demo's containers runs and is asked for pages, a browser opens the dashboard,
and what stands in its document then is put into the picture with the page's own styles.
"""

from __future__ import annotations

import asyncio
import base64
import random
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from dockerproxy.demo import EmbeddedEngine, demo_site
from dockerproxy.server import Server
from dockerproxy.settings import validate
from tests.support.browser import Chromium, Page

PICTURE = Path(__file__).parent / "dashboard.svg"
ICON = Path(__file__).parents[1] / "dockerproxy/web/templates/dashboard/icon.svg"
WIDTH, HEIGHT = 1200, 1080  # CSS pixels
_BUSY = 45.0  # seconds, for the curves
_PAUSE = 0.08  # seconds between two requests, in the mean
# The styles that count at this width, and the document without what is not seen.
_DRAWN = """(() => {
  const text = rule => {
    if (!(rule instanceof CSSMediaRule)) return rule.cssText;
    const condition = rule.conditionText;
    if (condition.includes("color-scheme")) return rule.cssText;
    return matchMedia(condition).matches ? [...rule.cssRules].map(text).join("\\n") : "";
  };
  const css = [...document.styleSheets[0].cssRules].map(text).join("\\n");
  const body = document.body.cloneNode(true);
  body.querySelectorAll("[hidden], dialog, noscript, .unseen, .skip, .toasts").forEach(element => element.remove());
  body.querySelectorAll("[title]").forEach(element => element.removeAttribute("title"));  // the path of the engine
  body.querySelectorAll("img").forEach(image => image.setAttribute("src", ICON));
  return [css, new XMLSerializer().serializeToString(body)];
})()"""


async def drawn(page: Page, url: str) -> str:
    """The picture of the dashboard at this URL."""
    await page.look(WIDTH, HEIGHT)
    await page.open(url)
    await page.sees("benched")
    icon = "data:image/svg+xml;base64," + base64.b64encode(ICON.read_bytes()).decode()
    css, body = await page.value(_DRAWN.replace("ICON", f'"{icon}"'))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">\n'
        f"<title>The dashboard, with the containers of the demo</title>\n<style><![CDATA[\n{css}\n]]></style>\n"
        f'<foreignObject width="{WIDTH}" height="{HEIGHT}">{body}</foreignObject>\n</svg>\n'
    )


async def ask(port: int) -> None:
    """Ask for pages, as a few people would."""
    async with aiohttp.ClientSession() as client:
        while True:
            headers = {"Host": random.choice(["blog.localhost", "shop.localhost", "shop.localhost"])}
            async with client.get(f"http://127.0.0.1:{port}/", headers=headers) as answer:
                await answer.read()
            await asyncio.sleep(random.expovariate(1 / _PAUSE))


async def main() -> None:
    """Run the demo, and write the picture."""
    with tempfile.TemporaryDirectory(prefix="dp") as folder, Chromium() as browser:
        async with (
            EmbeddedEngine(f"{folder}/demo.sock", demo_site()) as engine,
            Server(_settings(engine, folder)) as server,
        ):
            port = server.addresses[0].port
            asking = asyncio.ensure_future(ask(port))
            await asyncio.sleep(_BUSY)
            async with browser.page() as page:
                picture = await drawn(page, f"http://root.localhost:{port}/")
            asking.cancel()
    PICTURE.write_text(picture, encoding="utf-8")
    print(f"{PICTURE.name}: {len(picture) // 1024} KiB")


def _settings(engine: EmbeddedEngine, folder: str) -> Any:
    return validate({"listen": "127.0.0.1:8888", "docker": {"host": engine.base_url}, "state_dir": folder}, "picture")


if __name__ == "__main__":
    asyncio.run(main())
