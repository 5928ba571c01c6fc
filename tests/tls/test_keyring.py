"""Which certificate a client is shown, and how new ones come into use."""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from dockerproxy.errors import SettingsError
from dockerproxy.settings import Settings, TlsSettings
from dockerproxy.tls.checking import checked_certificates
from dockerproxy.tls.keyring import Keyring, certificate_warnings, read_certificates
from dockerproxy.tls.renewal import EVERY, Renewal, marks_of

from ..support.certificate import Authority


def keyring(settings: TlsSettings) -> Keyring:
    return Keyring(settings, read_certificates(settings))


def shown(server: ssl.SSLContext, authority: Authority, name: str | None) -> tuple[str, str]:
    """The first name of the certificate that a client is shown, and the version of TLS."""
    trusting = authority.trusting()
    trusting.check_hostname = False
    client = shaken(server, trusting, name)
    certificate = client.getpeercert()
    assert certificate is not None
    return str(certificate["subjectAltName"][0][1]), str(client.version())


def shaken(server: ssl.SSLContext, client_context: ssl.SSLContext, name: str | None) -> ssl.SSLObject:
    """The client's side after a handshake."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(down, up, server_hostname=name)
    side = server.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for each in (client, side):
            with contextlib.suppress(ssl.SSLWantReadError):
                each.do_handshake()
    return client


def test_the_name_that_a_client_asks_for_chooses(authority: Authority) -> None:
    names = (
        ["default.example"],
        ["blog.example", "www.blog.example"],
        ["*.shop.example"],
        ["late.example", "blog.example"],
    )
    context = keyring(TlsSettings(certificates=[authority.entry(*each) for each in names])).context
    chosen = {
        None: "default.example",
        "default.example": "default.example",
        "Blog.Example": "blog.example",
        "www.blog.example": "blog.example",
        "a.shop.example": "*.shop.example",
        "shop.example": "default.example",
        "a.b.shop.example": "default.example",
        "late.example": "late.example",
        "else.example": "default.example",
        "127.0.0.1": "default.example",
    }
    assert {name: shown(context, authority, name)[0] for name in chosen} == chosen


def test_an_exact_name_counts_before_a_wildcard(authority: Authority) -> None:
    entries = [authority.entry("*.example.com"), authority.entry("blog.example.com")]
    context = keyring(TlsSettings(certificates=entries)).context
    assert shown(context, authority, "blog.example.com")[0] == "blog.example.com"
    assert shown(context, authority, "news.example.com")[0] == "*.example.com"


def with_rsa(stem: str, *names: str) -> dict[str, str]:
    """A certificate with an RSA key, signed by itself; its subject is `stem`."""
    entry = {"cert": f"{stem}.pem", "key": f"{stem}.key"}
    subject = ["-subj", f"/CN={stem}", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run([*command, "-keyout", entry["key"], "-out", entry["cert"]], check=True, capture_output=True)
    return entry


def test_of_two_kinds_of_key_for_the_same_names_each_client_gets_the_one_it_can_use(authority: Authority) -> None:
    pair = [authority.entry("a.example", "b.example"), with_rsa("old", "b.example", "a.example")]
    settings = TlsSettings(certificates=[authority.entry("first.example"), *pair])
    certificates = read_certificates(settings)
    subjects = {}
    for cipher in ("aECDSA", "aRSA"):
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        client.maximum_version = ssl.TLSVersion.TLSv1_2  # from 1.3 on a cipher does not say which kind of key it is for
        client.set_ciphers(cipher)
        found = shaken(Keyring(settings, certificates).context, client, "b.example").getpeercert(binary_form=True)
        subjects[cipher] = x509.load_der_x509_certificate(found or b"").subject.rfc4514_string()
    assert subjects == {"aECDSA": "CN=a.example", "aRSA": "CN=old"}
    assert certificate_warnings(Settings(listen="https://:1", tls=settings), certificates) == []


def test_a_second_certificate_of_one_kind_for_the_same_names_is_never_shown(authority: Authority) -> None:
    entries = [authority.entry("a.example"), with_rsa("old", "a.example"), with_rsa("other", "a.example")]
    settings = Settings(listen="https://:1", tls={"certificates": entries})
    warnings = certificate_warnings(settings, read_certificates(settings.tls))
    assert warnings == ["the certificate other.pem (a.example) is never shown: those before it have all of its names"]


def test_the_least_version_is_kept_to_and_can_be_raised_while_it_serves(authority: Authority) -> None:
    entries = [authority.entry("localhost")]
    ring = keyring(TlsSettings(certificates=entries))
    old = authority.trusting()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.trusting = lambda: old  # type: ignore[method-assign]  # a client of some years ago
    assert shown(ring.context, authority, "localhost") == ("localhost", "TLSv1.2")
    strict = TlsSettings(certificates=entries, min_version="1.3")
    ring.use(strict, read_certificates(strict))
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shown(ring.context, authority, "localhost")


def test_everything_that_is_wrong_is_told_at_once(authority: Authority) -> None:
    entries = [{"cert": "a.pem"}, authority.entry("localhost"), {"cert": "b.pem"}]
    settings = Settings(
        listen="https://:8443", tls={"certificates": entries}, tls_ca="c.pem", docker={"enabled": False}
    )
    with pytest.raises(SettingsError) as raised:
        checked_certificates(settings)
    assert [problem.where for problem in raised.value.problems] == [
        "tls.certificates[0].cert",
        "tls.certificates[2].cert",
        "tls_ca",
    ]


def test_an_https_address_needs_a_certificate() -> None:
    with pytest.raises(SettingsError, match=r"tls.certificates: is empty, but listen has https://:8443; give at least"):
        checked_certificates(Settings(listen=":80, https://:8443"))
    assert checked_certificates(Settings(listen=":80")) == ()


def test_what_is_hardly_meant_is_told(authority: Authority) -> None:
    entries = [authority.entry("a.example", "b.example"), authority.entry("b.example")]
    settings = Settings(listen=":80", tls={"certificates": entries})
    assert certificate_warnings(settings, read_certificates(settings.tls)) == [
        "the certificate b.example.pem (b.example) is never shown: those before it have all of its names",
        "tls.certificates are given, but no address in listen begins with https://, so nobody uses them",
    ]


class Clock:
    """A `call_later` whose time is the test's; `ring` lets the time of the only timer come."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._callback: Callable[[], None] | None = None

    def __call__(self, delay: float, callback: Callable[[], None]) -> Clock:
        self.delays.append(delay)
        self._callback = callback
        return self

    def cancel(self) -> None:
        self._callback = None

    def ring(self) -> None:
        assert self._callback is not None
        self._callback()


def renewal(clock: Clock, entries: Sequence[dict[str, str]]) -> Renewal:
    settings = TlsSettings(certificates=entries)
    return Renewal(settings, read_certificates(settings), marks_of(settings), clock)


def test_renewed_files_are_used_within_a_minute(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    found = renewal(clock, [authority.entry("localhost")])
    before = found.keyring.certificates
    clock.ring()
    assert found.keyring.certificates is before
    authority.entry("localhost", "new.localhost")
    clock.ring()
    assert shown(found.keyring.context, authority, "new.localhost")[0] == "localhost"
    assert found.keyring.certificates[0].names == ("localhost", "new.localhost")
    assert "certificate in use: localhost.pem (localhost, new.localhost), from 2" in caplog.text
    assert clock.delays == [EVERY] * 3
    found.stop()


def test_files_that_are_renewed_while_everything_starts_are_not_missed(authority: Authority) -> None:
    clock = Clock()
    settings = TlsSettings(certificates=[authority.entry("localhost")])
    marks, certificates = marks_of(settings), read_certificates(settings)
    authority.entry("localhost", "new.localhost")
    found = Renewal(settings, certificates, marks, clock)
    clock.ring()
    assert found.keyring.certificates[0].names == ("localhost", "new.localhost")
    found.stop()


def test_files_that_cannot_be_used_change_nothing_and_are_told_once(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    entry = authority.entry("localhost")
    found = renewal(clock, [entry])
    good = Path(entry["cert"]).read_bytes()
    Path(entry["cert"]).write_text("half of i")
    clock.ring()
    clock.ring()
    assert shown(found.keyring.context, authority, "localhost")[0] == "localhost"
    (record,) = caplog.records
    assert "renewed certificates are not used, because: settings: tls.certificates[0].cert: localhost.pem holds no" in (
        record.getMessage()
    )
    Path(entry["cert"]).write_bytes(good)
    clock.ring()
    assert len(caplog.records) == 1


def test_what_has_become_of_a_certificate_that_nobody_renews_is_told_once(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    now = datetime.now(UTC)
    settings = TlsSettings(certificates=[authority.entry("localhost", days=90)])
    found = Renewal(settings, read_certificates(settings), marks_of(settings), clock, lambda: now)
    for days in (30, 40, 10, 9, 5, 9):
        now += timedelta(days=days)
        clock.ring()
    told = [record.getMessage().split(" UTC: ") for record in caplog.records]
    assert [words for _, words in told] == ["renew it", "clients will refuse it"]
    assert all("the certificate localhost.pem (localhost) " in words for words, _ in told)
    found.stop()


def test_what_was_told_at_the_start_is_not_told_again(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    found = renewal(clock, [authority.entry("localhost", begins=-9, days=2)])
    clock.ring()
    assert not caplog.records
    found.stop()


def test_a_link_that_is_turned_to_another_file_is_noticed(authority: Authority) -> None:
    clock = Clock()
    entries = [authority.entry("localhost"), authority.entry("localhost.new", "localhost")]
    for end in ("cert", "key"):
        Path(f"live.{end}").symlink_to(entries[0][end])
    found = renewal(clock, [{"cert": "live.cert", "key": "live.key"}])
    for end in ("cert", "key"):
        Path("next").symlink_to(entries[1][end])
        os.replace("next", f"live.{end}")
    clock.ring()
    assert found.keyring.certificates[0].names == ("localhost.new", "localhost")


def test_the_files_of_new_settings_are_looked_after(authority: Authority) -> None:
    clock = Clock()
    found = renewal(clock, [authority.entry("old.example")])
    settings = TlsSettings(certificates=[authority.entry("new.example")])
    found.follow(settings, read_certificates(settings), marks_of(settings))
    assert list(found.keyring.certificates[0].names) == ["new.example"]
    authority.entry("new.example", "more.example")
    clock.ring()
    assert list(found.keyring.certificates[0].names) == ["new.example", "more.example"]
