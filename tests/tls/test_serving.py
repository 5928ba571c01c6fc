"""The whole proxy with certificates: the start, a reload, `check` and `health`."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.check import check
from dockerproxy.errors import ListenError, SettingsError
from dockerproxy.health import check_health
from dockerproxy.settings import Settings

from ..support.certificate import Authority
from ..support.scene import Scene
from ..support.tls_client import TlsClient


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path / "state") as scene:
        yield scene


def https(*entries: dict[str, str], **values: Any) -> dict[str, Any]:
    return {"listen": ["https://127.0.0.1:0"], "tls": {"certificates": entries}, **values}


async def client(scene: Scene, authority: Authority, name: str = "localhost") -> TlsClient:
    client = await TlsClient.shake(scene.server.addresses[0].port, authority.trusting(), name)
    scene.clients.append(client)
    return client


async def test_the_log_says_where_https_is_spoken(
    scene: Scene, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = await scene.proxy(await scene.upstream(), **https(authority.entry("localhost")))
    assert str(server.addresses[0]).startswith("https://127.0.0.1:")
    assert f"listens on {server.addresses[0]}, " in caplog.text


async def test_an_expired_certificate_is_served_with_a_warning(
    scene: Scene, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.proxy(await scene.upstream(), **https(authority.entry("localhost", begins=-9, days=2)))
    assert "the certificate localhost.pem (localhost) has expired on " in caplog.text


async def test_statistics_and_metrics_tell_until_when_each_certificate_counts(
    scene: Scene, authority: Authority
) -> None:
    entries = [authority.entry("a.example", "b.example"), authority.entry("old.example", begins=-9, days=2)]
    await scene.proxy(await scene.upstream(), listen="127.0.0.1:0,https://127.0.0.1:0", tls={"certificates": entries})
    good, old = json.loads((await scene.get("/statistics", host="root.localhost")).text)["certificates"]
    assert (good["cert"], good["names"], good["warnings"]) == ("a.example.pem", ["a.example", "b.example"], [])
    assert good["not_before"] < good["not_after"]
    assert old["warnings"][0].startswith("the certificate old.example.pem (old.example) has expired on ")
    metrics = (await scene.get("/metrics", host="root.localhost")).text
    series = 'dockerproxy_certificate_not_after_timestamp_seconds{cert="old.example.pem",name="old.example"} '
    (value,) = re.findall(re.escape(series) + r"(\S+)", metrics)
    assert datetime.fromtimestamp(float(value), UTC) == datetime.fromisoformat(old["not_after"])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"listen": "https://127.0.0.1:0"}, "tls.certificates: is empty, but listen has https://127.0.0.1:0"),
        (https({"cert": "gone.pem"}), "tls.certificates\\[0\\].cert: there is no file gone.pem"),
    ],
    ids=["none", "gone"],
)
async def test_without_a_certificate_nothing_is_served(scene: Scene, values: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        await scene.proxy(await scene.upstream(), **values)


async def test_a_port_that_is_taken_leaves_nothing_behind(scene: Scene, authority: Authority) -> None:
    upstream = await scene.upstream()
    values = https(authority.entry("localhost"), listen=[f"https://127.0.0.1:{upstream.port}"])
    with pytest.raises(ListenError, match=f"port {upstream.port} is taken"):
        await scene.proxy(upstream, **values)


async def test_a_reload_shows_new_clients_the_new_certificate_and_keeps_those_that_are_there(
    scene: Scene, authority: Authority
) -> None:
    upstream = await scene.upstream()
    new: list[Settings] = []
    await scene.proxy(upstream, **https(authority.entry("localhost")), read_settings=lambda: new[-1])
    before = await client(scene, authority)
    assert before.names == {"localhost"}
    new.append(scene.settings(upstream, **https(authority.entry("localhost", "blog.localhost"))))
    (line,) = scene.server.reread()
    assert line.startswith("certificate in use: localhost.pem (localhost, blog.localhost), from ")
    assert (await before.get()).body == b"a"
    assert (await client(scene, authority)).names == {"localhost", "blog.localhost"}
    assert scene.server.reread() == []


async def test_a_bad_certificate_at_a_reload_changes_nothing(
    scene: Scene, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = await scene.upstream()
    entry = authority.entry("localhost")
    bad = scene.settings(upstream, **https({**entry, "key": "gone.key"}, bench="1s"))
    await scene.proxy(upstream, **https(entry), read_settings=lambda: bad)
    scene.server.reload()
    assert "nothing was changed, because: settings: tls.certificates[0].key: there is no file gone.key" in caplog.text
    assert (await (await client(scene, authority)).get()).body == b"a"
    assert scene.server.registry.settings.bench == 90


async def test_a_reload_without_certificates_keeps_those_in_use_until_the_restart(
    scene: Scene, authority: Authority
) -> None:
    upstream = await scene.upstream()
    plain = scene.settings(upstream)
    await scene.proxy(upstream, **https(authority.entry("localhost")), read_settings=lambda: plain)
    assert "the new value of listen counts only after a restart" in scene.server.reread()
    assert (await (await client(scene, authority)).get()).body == b"a"


async def test_health_is_asked_for_over_https(
    scene: Scene, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await scene.proxy(await scene.upstream(), **https(authority.entry("localhost")))
    place = scene.settings(listen=[":1", str(server.addresses[0])]).whereabouts
    assert await asyncio.to_thread(check_health, place) == 0
    await server.stop()
    assert await asyncio.to_thread(check_health, place) == 1
    assert "no dockerproxy answers at 127.0.0.1" in capsys.readouterr().err


def test_check_tells_of_certificates(authority: Authority) -> None:
    entry = authority.entry("localhost", begins=-9, days=2)
    file = Path("site.yaml")
    good = {"cert": entry["cert"], "key": entry["key"]}
    file.write_text(f"{{listen: ['https://:8443'], tls: {{certificates: [{good}]}}, docker: {{enabled: false}}}}")
    report = check("site.yaml")
    assert report.good
    assert any("has expired" in line for line in report.lines())
    file.write_text("{listen: ['https://:8443'], tls_ca: none.pem, docker: {enabled: false}}")
    assert [line.partition(", but")[0].partition(": no such")[0] for line in check("site.yaml").lines()] == [
        "site.yaml: tls.certificates: is empty",
        "site.yaml: tls_ca: none.pem cannot be read",
        "site.yaml: 2 problems, nothing would be served",
    ]
