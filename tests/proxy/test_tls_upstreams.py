"""Upstreams over TLS: whose certificate is believed, and what they are shown."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.errors import SettingsError

from ..support.certificate import Authority
from ..support.scene import Scene
from ..support.upstreams import Conversation, Upstream
from ..support.waiting import until


def asking_for_certificates(authority: Authority) -> ssl.SSLContext:
    """A server that takes only clients which show what the authority has signed."""
    context = authority.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca)
    return context


def joined(entry: dict[str, str], both: Path) -> Path:
    """Certificate and key in one file."""
    both.write_text(Path(entry["cert"]).read_text() + Path(entry["key"]).read_text())
    return both


def put_files(authority: Authority, folder: Path) -> None:
    """Files of which not each is what it is taken for."""
    (folder / "junk.pem").write_text("not a certificate")
    (folder / "good.pem").write_bytes(Path(authority.entry("good")["cert"]).read_bytes())
    (folder / "other.key").write_bytes(Path(authority.entry("other")["key"]).read_bytes())


async def refused(scene: Scene, upstream: Upstream, **options: Any) -> str:
    """What statistics say of an upstream that the proxy does not speak to."""
    await scene.proxy(upstream, max_attempts=1, **options)
    assert (await scene.get()).status == 502
    return scene.counted(upstream).last_error


async def test_an_upstream_of_the_own_authority_is_believed(scene: Scene, authority: Authority) -> None:
    upstream = await scene.upstream(tls=authority.server("127.0.0.1"))
    await scene.proxy(upstream, tls_ca=str(authority.ca))
    assert (await scene.get()).body == b"a"
    assert (await scene.post(b"x" * (1 << 20))).body == b"a"


async def test_an_upstream_that_nobody_vouches_for_is_an_error(scene: Scene, authority: Authority) -> None:
    upstream = await scene.upstream(tls=authority.server("127.0.0.1"))
    assert "cannot be reached: its certificate is not good: " in await refused(scene, upstream)


async def test_a_certificate_for_another_name_is_an_error(scene: Scene, authority: Authority) -> None:
    upstream = await scene.upstream(tls=authority.server("api.internal"))
    words = await refused(scene, upstream, tls_ca=str(authority.ca))
    assert "its certificate is not good: IP address mismatch, certificate is not valid for '127.0.0.1'" in words


async def test_a_certificate_is_looked_at_for_the_name_that_the_route_gives(scene: Scene, authority: Authority) -> None:
    asked: list[str | None] = []
    context = authority.server("api.internal")
    context.sni_callback = lambda _connection, name, _context: asked.append(name)
    await scene.proxy(await scene.upstream(tls=context), tls_ca=str(authority.ca), tls_server_name="API.internal")
    assert (await scene.get()).body == b"a"
    assert asked == ["api.internal"]


async def test_an_upstream_is_shown_the_proxy_s_certificate(scene: Scene, authority: Authority) -> None:
    async def who(conversation: Conversation) -> None:
        await conversation.request()
        shown = conversation.writer.get_extra_info("peercert")
        conversation.answer(dict(entry[0] for entry in shown["subject"])["commonName"].encode())

    client = authority.entry("the-proxy", client=True)
    upstream = await scene.upstream(who, tls=asking_for_certificates(authority))
    await scene.proxy(upstream, tls_ca=str(authority.ca), tls_cert=client["cert"], tls_key=client["key"])
    assert (await scene.get()).body == b"the-proxy"


async def test_without_a_certificate_such_an_upstream_is_an_error(scene: Scene, authority: Authority) -> None:
    upstream = await scene.upstream(tls=asking_for_certificates(authority))
    assert await refused(scene, upstream, tls_ca=str(authority.ca))


async def test_certificate_and_key_may_stand_in_one_file(scene: Scene, authority: Authority, tmp_path: Path) -> None:
    both = joined(authority.entry("the-proxy", client=True), tmp_path / "both.pem")
    upstream = await scene.upstream(tls=asking_for_certificates(authority))
    await scene.proxy(upstream, tls_ca=str(authority.ca), tls_cert=str(both))
    assert (await scene.get()).body == b"a"


async def test_an_upstream_that_speaks_plain_http_is_an_error(scene: Scene) -> None:
    async def bad_request(conversation: Conversation) -> None:
        await conversation.reader.read(1)
        conversation.answer(status="400 Bad Request")

    upstream = await scene.upstream(bad_request)
    await scene.proxy(upstream.url.replace("http:", "https:"), max_attempts=1)
    assert (await scene.get()).status == 502
    (stats,) = scene.route().upstreams.values()
    assert "no TLS with it: " in stats.last_error


async def test_routes_that_trust_differently_share_no_connection(scene: Scene, authority: Authority) -> None:
    upstream = await scene.upstream(tls=authority.server("127.0.0.1"))
    strict = {"name": "strict", "host": "strict", "upstreams": [upstream.url], "tls_verify": True, "max_attempts": 1}
    careless = {"name": "careless", "host": "careless", "upstreams": [upstream.url], "tls_verify": False}
    await scene.proxy(routes=[strict, careless])
    assert (await scene.get(host="careless")).body == b"a"
    assert (await scene.get(host="strict")).status == 502


async def test_a_reload_reads_the_authorities_anew(scene: Scene, authority: Authority, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    other = Authority(tmp_path / "other")
    other.entry("localhost")
    ca.write_bytes(other.ca.read_bytes())
    upstream = await scene.upstream(tls=authority.server("127.0.0.1"))
    settings = scene.settings(upstream, tls_ca=str(ca), max_attempts=1)
    await scene.proxy(upstream, tls_ca=str(ca), max_attempts=1, read_settings=lambda: settings)
    assert (await scene.get()).status == 502
    ca.write_bytes(authority.ca.read_bytes())
    scene.server.reload()
    assert (await scene.get()).body == b"a"


async def test_a_file_that_goes_missing_later_is_an_error_of_the_upstream(
    scene: Scene, authority: Authority, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.ca.read_bytes())
    upstream = await scene.upstream(tls=authority.server("127.0.0.1"))
    await scene.proxy(upstream, tls_ca=str(ca), max_attempts=1)
    ca.unlink()
    assert (await scene.get()).status == 502
    await until(lambda: f"tls_ca: {ca} cannot be read: no such file" in scene.counted(upstream).last_error)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tls_ca": "none.pem"}, "tls_ca: none.pem cannot be read: no such file or directory"),
        ({"tls_ca": "junk.pem"}, "tls_ca: junk.pem holds no certificate; expected PEM"),
        ({"tls_cert": "none.pem"}, "tls_cert: none.pem cannot be read: no such file or directory"),
        ({"tls_cert": "junk.pem"}, "tls_cert: no certificate with its key, which must not be encrypted, can be read"),
        ({"tls_cert": "good.pem", "tls_key": "none.pem"}, "tls_key: none.pem cannot be read: no such file"),
        ({"tls_cert": "good.pem", "tls_key": "other.key"}, "tls_key: other.key does not fit the certificate good.pem"),
        ({"tls_key": "other.key"}, "tls_key: other.key is given without a tls_cert"),
    ],
    ids=lambda part: " ".join(part.values()) if isinstance(part, dict) else "",
)  # fmt: skip
async def test_files_that_cannot_be_used_are_told_at_the_start(
    scene: Scene,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    put_files(authority, tmp_path)
    route = {"name": "api", "host": "api", "upstreams": ["https://127.0.0.1:1"], **options}
    with pytest.raises(SettingsError) as raised:
        await scene.proxy(routes=[route])
    (problem,) = raised.value.problems
    assert str(problem).startswith(f"routes[0].{words}")
