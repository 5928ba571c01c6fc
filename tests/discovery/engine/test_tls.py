"""An engine over TCP: with TLS on both sides, and behind a filter that cuts the stream of events every few minutes."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.demo import ContainerSpec, EmbeddedEngine
from dockerproxy.discovery import EngineState
from dockerproxy.discovery.timing import Timing
from tests.discovery.support import Watched, watching
from tests.support.authority import Authority
from tests.support.relay import Cut, Relay

LABELS = {"dockerproxy.host": "blog.localhost", "com.docker.compose.service": "blog"}
SOON = Timing(backoff_first=0.01, backoff_most=0.05, backoff_reset=0.0, ping_timeout=10.0)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[EmbeddedEngine]:
    specs = [ContainerSpec(name, labels=LABELS) for name in ("blog-1", "blog-2")]
    async with EmbeddedEngine(path, specs) as engine:
        yield engine


def files(authority: Authority, name: str = "client") -> dict[str, Any]:
    """The settings for a client of this authority."""
    pair = authority.sign(name)
    return {"tls_ca": authority.ca, "tls_cert": pair.cert, "tls_key": pair.key}


async def test_both_sides_show_certificates_and_events_come_through(engine: EmbeddedEngine, authority: Authority,
                                                                    path: Path) -> None:  # fmt: skip
    tls = authority.server(authority.sign("engine"), ask=True)
    async with Relay(path, tls) as relay, watching(f"tcp://127.0.0.1:{relay.port}", **files(authority)) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        await engine.containers.stop("blog-1")
        await watched.sees(lambda seen: seen.routed() == {"blog-2"})
        assert {request.partition(" ")[0] for request in relay.requests} == {"GET"}


@pytest.mark.usefixtures("engine")
async def test_a_key_may_stand_in_the_file_of_its_certificate(authority: Authority, path: Path, tmp_path: Path) -> None:
    both, pair = tmp_path / "both.pem", authority.sign("both")
    both.write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
    tls = authority.server(authority.sign("engine"), ask=True)
    given: dict[str, Any] = {"tls_ca": authority.ca, "tls_cert": both}
    async with Relay(path, tls) as relay, watching(f"tcp://127.0.0.1:{relay.port}", **given) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})


@pytest.mark.usefixtures("engine")
async def test_what_is_wrong_with_certificates_is_told_and_tried_again_until_it_is_mended(
    authority: Authority, path: Path, tmp_path: Path
) -> None:
    right, late = files(authority), tmp_path / "late.pem"
    tls = authority.server(authority.sign("engine"), ask=True)
    async with Relay(path, tls) as relay:
        host = f"tcp://127.0.0.1:{relay.port}"
        async with watching(host, SOON, **{**right, "tls_ca": late}) as watched:
            await watched.sees(lambda seen: f"docker.tls_ca: {late} cannot be read" in seen.status.error)
            shutil.copy(authority.ca, late)
            await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"} and not seen.status.error)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("other authority", "is not accepted: .*; set docker.tls_ca to the file of the authority that signed it"),
        ("public authorities", "is not accepted: .*; set docker.tls_ca to the file of the authority that signed it"),
        ("other name", "mismatch.*; write docker.host with a name or address that stands in the certificate"),
        ("no certificate", "does not take our certificate"),
        ("certificate of a stranger", "does not take our certificate"),
        ("other key", "docker.tls_key does not belong to docker.tls_cert"),
        ("no certificate for the key", "docker.tls_key is given without docker.tls_cert"),
        ("no PEM", "have to be files in PEM"),
        ("plain engine", "the engine speaks plain text there"),
    ],
)
async def test_each_fault_of_certificates_has_its_own_words(
    authority: Authority, path: Path, tmp_path: Path, change: str, told: str
) -> None:
    stranger = Authority(tmp_path, "stranger")
    wrong: dict[str, dict[str, Any]] = {
        "other authority": {"tls_ca": stranger.ca},
        "public authorities": {"tls_ca": None},
        "no certificate": {"tls_cert": None, "tls_key": None},
        "certificate of a stranger": {**files(stranger), "tls_ca": authority.ca},
        "other key": {"tls_key": stranger.sign("x").key},
        "no certificate for the key": {"tls_cert": None},
        "no PEM": {"tls_cert": Path(__file__), "tls_key": Path(__file__)},
    }
    subject = "DNS:engine.example" if change == "other name" else "IP:127.0.0.1"
    tls = None if change == "plain engine" else authority.server(authority.sign("server", subject), ask=True)
    async with Relay(path, tls) as relay:
        given = {**files(authority), **wrong.get(change, {})}
        async with watching(f"tcp://127.0.0.1:{relay.port}", SOON, **given) as watched:
            await watched.sees(lambda seen: seen.status.error)
            assert re.search(told, watched.status.error), watched.status.error
            assert watched.routed() == set()


@pytest.mark.usefixtures("engine")
async def test_verification_can_be_switched_off_and_the_log_says_what_that_means(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = Authority(tmp_path, "stranger")
    async with Relay(path, tls.server(tls.sign("engine", "DNS:other"))) as relay:
        host = f"https://127.0.0.1:{relay.port}"
        async with watching(host, tls_verify=False) as watched:
            await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("dockerproxy.discovery")]
    assert "docker.tls_verify is false" in line


@pytest.mark.parametrize("how", list(Cut))
@pytest.mark.parametrize("secured", [True, False], ids=["tls", "plain"])
async def test_a_filter_that_cuts_the_stream_costs_no_event_no_route_and_no_line_in_the_log(
    engine: EmbeddedEngine, authority: Authority, path: Path, caplog: pytest.LogCaptureFixture, how: Cut, secured: bool
) -> None:
    caplog.set_level(logging.INFO, "dockerproxy.discovery")
    tls = authority.server(authority.sign("engine")) if secured else None
    given: dict[str, Any] = {"tls_ca": authority.ca} if secured else {}
    async with Relay(path, tls) as relay, watching(f"tcp://127.0.0.1:{relay.port}", SOON, **given) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        for turn in range(1, 6):
            await _is_connected(watched, relay, turn - 1)
            relay.cut(how)
            # While nobody listens: it is told again when the stream is taken up.
            if turn % 2:
                await engine.containers.stop("blog-1")
                await watched.sees(lambda seen: seen.routed() == {"blog-2"})
            else:
                await engine.containers.start("blog-1")
                await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        await _is_connected(watched, relay, 5)
        assert all("blog-2" in _in_rotation(snapshot) for snapshot in watched.snapshots), "it was never in doubt"
    told = [record.getMessage() for record in caplog.records if record.name.startswith("dockerproxy.discovery")]
    assert len(told) == 1
    assert told[0].startswith("engine: connected to")


@pytest.mark.usefixtures("engine")
async def test_a_cut_that_cannot_be_mended_at_once_is_told_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dockerproxy.discovery")
    relay = Relay(path)
    async with relay:
        watched_by = watching(f"tcp://127.0.0.1:{relay.port}", SOON)
        watched = await watched_by.__aenter__()
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)

    def told() -> int:
        return sum("engine: lost (" in record.getMessage() for record in caplog.records)

    try:
        await watched.sees(lambda seen: "refuses connections" in seen.status.error and told())
        assert watched.routed() == {"blog-1", "blog-2"}
        async with relay:
            await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
            assert told() == 1
    finally:
        await watched_by.__aexit__(None, None, None)


async def _is_connected(watched: Watched, relay: Relay, reconnects: int) -> None:
    await watched.sees(lambda seen: seen.status.reconnects >= reconnects and relay.streams)
    await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)


def _in_rotation(snapshot: Any) -> set[str]:
    return {view.name for view in snapshot.containers if any(wish.upstream.in_rotation for wish in view.wishes)}
