"""A real browser: headless Chromium, driven over the DevTools protocol as a person would: by mouse and keyboard."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from .waiting import DEADLINE

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--remote-debugging-port=0",
    # Each window would have a page of its own for what is typed into its address: more work than the page under test.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
)  # fmt: skip
_POLL = 0.02  # seconds
# Some network of the machine came or went, and the browser broke off what it was loading: no fault of the page's.
_OF_THE_MACHINE = "net::ERR_NETWORK_CHANGED"
# Name of a key -> its code, and the text that it enters.
_KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Escape": (27, ""), " ": (32, " "), "ArrowDown": (40, "")}


class NoBrowser(Exception):
    """There is no Chromium here."""


class Chromium:
    """One browser process; each page has a profile of its own."""

    def __init__(self) -> None:
        program = next(filter(None, map(shutil.which, _NAMES)), None)
        if program is None:
            raise NoBrowser("no Chromium is installed (Debian: apt-get install chromium)")
        self._folder = Path(tempfile.mkdtemp(prefix="dockerproxy-browser-"))
        command = [program, *_FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        environment = {**os.environ, "TMPDIR": str(self._folder)}  # what it would leave there goes with the folder
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._address = self._wait_for_address()

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def page(self, width: int = 1280, height: int = 900) -> AsyncIterator[Page]:
        """A page in a profile of its own."""
        async with connect(self._address, max_size=None) as socket:
            wire = _Wire(socket)
            try:
                context = (await wire.call("Target.createBrowserContext"))["browserContextId"]
                target = await wire.call("Target.createTarget", url="about:blank", browserContextId=context)
                attached = await wire.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
                page = Page(wire, attached["sessionId"])
                await page.start(width, height)
                yield page
                await wire.call("Target.disposeBrowserContext", browserContextId=context)
            finally:
                await wire.close()

    def _wait_for_address(self) -> str:
        file = self._folder / "DevToolsActivePort"
        end = time.monotonic() + DEADLINE
        while not (file.exists() and len(lines := file.read_text().splitlines()) == 2):
            if time.monotonic() > end or self._process.poll() is not None:
                raise AssertionError(f"Chromium did not start (exit code {self._process.poll()})")
            time.sleep(_POLL)
        return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


class Page:
    """One page. `problems` is what the browser's console has to complain about."""

    def __init__(self, wire: _Wire, session: str) -> None:
        self._wire = wire
        self._session = session
        self.problems: list[str] = []
        self._broken_off = False
        wire.listeners.append(self._hear)

    async def start(self, width: int, height: int) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.look(width, height)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol."""
        return await self._wire.call(method, self._session, **parameters)

    # What a person does

    async def look(self, width: int, height: int = 900, *, dark: bool = False, still: bool = True) -> None:
        """The size of the window, and what the reader's system prefers."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        features = [("prefers-color-scheme", "dark" if dark else "light")]
        features += [("prefers-reduced-motion", "reduce")] if still else []
        await self.call("Emulation.setEmulatedMedia", features=[{"name": key, "value": one} for key, one in features])

    async def open(self, url: str) -> None:
        self._broken_off = True
        while self._broken_off:
            self._broken_off = False
            await self.call("Page.navigate", url=url)
            await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def click(self, selector: str, text: str = "") -> None:
        """Click the first element that can be seen, matches the selector and has this text."""
        where = f"__found({json.dumps(selector)}, {json.dumps(text)})"
        await self.until(f"({_FIND}, {where})", f"{selector} {text!r} to be there")
        point: list[float] = []
        while point != (seen := await self._middle(where)):  # it moves when something above it grows
            point = seen
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=point[0], y=point[1], button="left", clickCount=1)

    async def press(self, key: str, times: int = 1) -> None:
        code, text = _KEYS[key]
        for _ in range(times):
            about = {"key": key, "code": key.strip() or "Space", "windowsVirtualKeyCode": code}
            entered = {"text": text} if text else {}
            await self.call("Input.dispatchKeyEvent", type="keyDown", **about, **entered)
            await self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    async def write(self, text: str) -> None:
        """Type into whatever has the focus."""
        await self.call("Input.insertText", text=text)

    # What a person sees

    async def value(self, expression: str) -> Any:
        """What an expression in the page gives. Raises AssertionError when it fails."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    async def text(self, selector: str) -> str:
        """The text of an element as it is shown, or "" when there is none."""
        return str(await self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    async def until(self, expression: str, what: str = "") -> None:
        """Return when an expression in the page holds. Raises AssertionError with what the page shows instead."""
        end = time.monotonic() + DEADLINE
        while not await self._holds(expression):
            if time.monotonic() > end:
                shown = await self.value("document.body.innerText")
                raise AssertionError(f"waited in vain for {what or expression}; {self.problems}; the page:\n{shown}")
            await asyncio.sleep(_POLL)

    async def sees(self, text: str, selector: str = "body") -> None:
        """Return when an element shows this text."""
        shown = f"(document.querySelector({json.dumps(selector)})?.innerText ?? '')"
        await self.until(f"{shown}.includes({json.dumps(text)})", f"{text!r} in {selector}")

    async def picture(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])

    async def _middle(self, element: str) -> list[float]:
        """Where the middle of an element is, once it has been scrolled into view."""
        middle = "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]"
        scroll = "e.scrollIntoView({block: 'center', behavior: 'instant'})"
        found: list[float] = await self.value(f"({_FIND}, (e => {{ {scroll}; {middle} }})({element}))")
        return found

    async def _holds(self, expression: str) -> bool:
        try:
            return bool(await self.value(f"Boolean({expression})"))
        except (AssertionError, _Refused):  # the page is being replaced by the next one
            return False

    def _hear(self, event: dict[str, Any]) -> None:
        if event.get("sessionId") != self._session:
            return
        about = event["params"]
        if event["method"] == "Runtime.exceptionThrown":
            details = about["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif event["method"] == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            if _OF_THE_MACHINE in about["entry"]["text"]:
                self._broken_off = True
                return
            self.problems.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")
        elif event["method"] == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert"):
            self.problems.append(str([each.get("value") for each in about["args"]]))


# Defines a function once; clicks and waits look for elements by it.
_FIND = (
    "window.__found ??= (selector, text) => [...document.querySelectorAll(selector)].find("
    "e => e.checkVisibility() && !e.disabled && e.innerText.includes(text))"
)


class _Refused(Exception):
    """The browser does not do what it was told."""


class _Wire:
    """Commands to the browser and their answers; events go to `listeners`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.listeners: list[Any] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())

    async def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        command: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(command))
        answer = await asyncio.wait_for(self._waiting[number], DEADLINE)
        if "error" in answer:
            raise _Refused(f"{method}: {answer['error']}")
        found: dict[str, Any] = answer["result"]
        return found

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                waiting = self._waiting.pop(message["id"])
                if not waiting.done():
                    waiting.set_result(message)
            else:
                for listener in self.listeners:
                    listener(message)
