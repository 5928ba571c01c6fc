"""Secrets that were planted everywhere come out nowhere: log, access log, statistics, metrics, pages, state, check."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from .support.command import Process
from .support.forked import dockerproxy

ADMIN, GUESS, VISITOR, COOKIE, QUERY = (f"planted-{name}-9c1f" for name in ("admin", "guess", "visitor", "cookie", "q"))
PLANTED = (ADMIN, GUESS, VISITOR, COOKIE, QUERY)
PAGES = ("/", "/statistics", "/metrics", "/session", "/logs?lines=1000", "/explain?url=http://site.test/", "/add", "/x")
DEADLINE = 60.0  # seconds; only a fault takes that long
SETTINGS = """
listen: ["127.0.0.1:0"]
docker: {enabled: false}
admin_token_file: token
state_dir: state
access_log: json
access_log_headers: [Authorization, Cookie, X-Tenant]
log_level: debug
grace: 1s
routes:
  - {name: site, host: site.test, max_attempts: 2, hold: 0, upstreams: ["http://127.0.0.1:1"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text(f"{ADMIN}\n")
    (tmp_path / "dockerproxy.yaml").write_text(SETTINGS)
    return tmp_path


async def start(folder: Path, *arguments: str) -> Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKERPROXY_")}
    return Process(
        await asyncio.create_subprocess_exec(
            *dockerproxy(), *arguments, cwd=folder, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
    )  # fmt: skip


async def told_by(port: int) -> str:
    """All that the proxy answers, to the operator and to strangers, heads included."""
    told = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(DEADLINE)) as client:

        async def ask(method: str, path: str, host: str, **fields: str) -> None:
            headers = {"Host": host, **fields}
            body = f'{{"token": "{GUESS}"}}' if method == "POST" else None
            async with client.request(method, path, headers=headers, data=body) as answer:
                told.append(f"{answer.status} {answer.headers} {await answer.text()}")

        visitor = {"Authorization": f"Bearer {VISITOR}", "Cookie": f"id={COOKIE}", "X-Tenant": "t"}
        await ask("GET", f"/shop?token={QUERY}", "site.test", **visitor)
        await ask("GET", f"/?password={QUERY}", "nobody.test", **visitor)
        await ask("POST", "/login", "root.localhost")
        await ask("POST", "/add", "root.localhost", Authorization=f"Bearer {ADMIN}")
        for path in PAGES:
            await ask("GET", path, "root.localhost", Authorization=f"Bearer {ADMIN}")
        for _ in range(6):
            await ask("GET", "/statistics", "root.localhost", Authorization=f"Bearer {GUESS}")
        assert told[-1].startswith("429")
    return "\n".join(told)


async def test_nothing_that_was_planted_comes_out(folder: Path) -> None:
    proxy = await start(folder, "run")
    line = await proxy.until("listens on")
    port = int(line.partition("127.0.0.1:")[2].split(",")[0].split()[0])
    told = await told_by(port)
    proxy.send(signal.SIGTERM)
    assert await proxy.end() == 0
    told += proxy.text + "".join(path.read_text() for path in (folder / "state").glob("*.json"))

    assert "site.test" in told
    assert '"x-tenant"' in told, "the access log was on"
    assert [secret for secret in PLANTED if secret in told] == []


async def test_check_tells_no_secret_of_a_good_or_a_bad_file(folder: Path) -> None:
    good = await start(folder, "check", "dockerproxy.yaml")
    assert await good.end() == 0
    bad = f"admin_token: {ADMIN}\nadmin_tokn: {GUESS}\nroutes: [{{name: a, upstreams: ['http://u:{VISITOR}@h']}}]\n"
    (folder / "bad.yaml").write_text(bad)
    wrong = await start(folder, "check", "bad.yaml")
    assert await wrong.end() == 1
    assert "admin_tokn" in wrong.text
    assert [secret for secret in PLANTED if secret in good.text + wrong.text] == []
