"""Certificates as they are read: their names and dates, and what is said when they cannot be used."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from dockerproxy.errors import SettingsError
from dockerproxy.settings.tls import CertificateSettings
from dockerproxy.tls.certificate import Certificate

from ..support.certificate import Authority


def read(entry: dict[str, Any]) -> Certificate:
    return Certificate.read(CertificateSettings(**entry), "tls.certificates[0]", "1.2")


def encrypted(key: str, password: bytes) -> str:
    """The key, encrypted, in a file of its own."""
    loaded = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    form = serialization.PrivateFormat.PKCS8
    data = loaded.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(password))
    Path("encrypted.key").write_bytes(data)
    return "encrypted.key"


def written(name: str, text: str | bytes) -> str:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def joined(*names: str | Path) -> bytes:
    return b"".join(Path(name).read_bytes() for name in names)


def test_its_names_are_those_that_clients_compare(authority: Authority) -> None:
    certificate = read(authority.entry("Blog.Example.com", "*.example.com", "127.0.0.1", "::1"))
    assert certificate.names == ("blog.example.com", "*.example.com", "127.0.0.1", "::1")
    assert str(certificate) == "Blog.Example.com.pem (blog.example.com, *.example.com, 127.0.0.1, ::1)"


def test_key_and_chain_may_stand_in_one_file(authority: Authority) -> None:
    entry = authority.entry("localhost")
    file = written("all.pem", joined(entry["key"], entry["cert"], authority.ca))
    assert read({"cert": file}).names == ("localhost",)


def test_an_encrypted_key_is_read_with_its_password(authority: Authority) -> None:
    entry = authority.entry("localhost")
    key = encrypted(entry["key"], b"open sesame")
    assert read({"cert": entry["cert"], "key": key, "password_file": written("password", "open sesame\n")}).names


_Spoiled = Callable[[dict[str, str], Authority], dict[str, Any]]
WRONG: dict[str, tuple[_Spoiled, str]] = {
    "no such certificate": (lambda entry, _: {**entry, "cert": "gone.pem"}, "cert: there is no file gone.pem (in "),
    "no such key": (lambda entry, _: {**entry, "key": "gone.key"}, "key: there is no file gone.key (in "),
    "a folder": (lambda entry, _: {**entry, "cert": "."}, "cert: . cannot be read: Is a directory"),
    "no certificate in it": (
        lambda entry, _: {**entry, "cert": written("junk.pem", "junk")},
        "cert: junk.pem holds no certificate; expected PEM, with a line -----BEGIN CERTIFICATE-----",
    ),
    "no key in it": (
        lambda entry, _: {**entry, "key": written("junk.key", "junk")},
        "key: junk.key holds no private key; expected PEM, with a line -----BEGIN PRIVATE KEY-----",
    ),
    "the key is not named": (
        lambda entry, _: {"cert": entry["cert"]},
        "key: localhost.pem holds no private key; expected PEM, with a line -----BEGIN PRIVATE KEY-----; name the key",
    ),
    "another's key": (
        lambda entry, authority: {**entry, "key": authority.entry("other")["key"]},
        "key: the key other.key does not fit the certificate localhost.pem",
    ),
    "the chain the wrong way round": (
        lambda entry, authority: {**entry, "cert": written("chain.pem", joined(authority.ca, entry["cert"]))},
        "cert: chain.pem begins with another certificate; the one that the key is for must come first",
    ),
    "no password for the key": (
        lambda entry, _: {**entry, "key": encrypted(entry["key"], b"secret")},
        "key: the key encrypted.key needs a password; give the file that holds it as password_file",
    ),
    "a wrong password": (
        lambda entry, _: {
            **entry,
            "key": encrypted(entry["key"], b"secret"),
            "password_file": written("password", "wrong"),
        },
        "key: encrypted.key cannot be decrypted with the password in password",
    ),
    "a password for a key that needs none": (
        lambda entry, _: {**entry, "password_file": written("password", "wrong")},
        "key: the key localhost.key is not encrypted, so leave password_file out",
    ),
    "no such password": (
        lambda entry, _: {**entry, "password_file": "gone"},
        "password_file: there is no file gone (in ",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_the_file_and_what_mends_it(case: str, authority: Authority) -> None:
    spoil, words = WRONG[case]
    with pytest.raises(SettingsError) as raised:
        read(spoil(authority.entry("localhost"), authority))
    (problem,) = raised.value.problems
    assert str(problem).startswith(f"tls.certificates[0].{words}")


def test_a_file_that_may_not_be_read_is_told_with_the_user(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    entry = authority.entry("localhost")
    monkeypatch.setattr(Path, "read_bytes", forbidden)  # the tests may run as root, who may read everything
    with pytest.raises(SettingsError, match=f"localhost.pem may not be read by the user {getpass.getuser()}, as whom"):
        read(entry)


@pytest.mark.usefixtures("authority")
def test_a_key_that_is_too_weak_is_refused() -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-keyout", "weak.key",
         "-out", "weak.pem"],
        check=True, capture_output=True, env={**os.environ, "OPENSSL_CONF": os.devnull},
    )  # fmt: skip
    with pytest.raises(SettingsError, match=r"cert: weak.pem cannot be used: EE_KEY_TOO_SMALL"):
        read({"cert": "weak.pem", "key": "weak.key"})


def test_a_key_of_a_kind_that_is_not_supported_is_told(authority: Authority) -> None:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime239v1"]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, "-nodes", "-subj", "/CN=odd", "-keyout", "odd.key", "-out", "odd.pem"],
        check=True, capture_output=True, env={**os.environ, "OPENSSL_CONF": os.devnull},
    )  # fmt: skip
    with pytest.raises(SettingsError, match=r"key: the key odd.key is of a kind that is not supported .*; take RSA"):
        read({"cert": "odd.pem", "key": "odd.key"})
    entry = authority.entry("localhost")
    with pytest.raises(SettingsError, match=r"localhost.key does not fit the certificate odd.pem"):
        read({"cert": "odd.pem", "key": entry["key"]})
    chain = written("chain.pem", joined(entry["cert"], "odd.pem"))
    assert read({"cert": chain, "key": entry["key"]}).names == ("localhost",)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, []),
        ({"days": -1, "begins": -10}, ["has expired on "]),
        ({"begins": 2}, ["counts from "]),
        ({"days": 10, "begins": -1}, []),
        ({"days": 90, "begins": -80}, ["expires on "]),
        ({"days": 12, "begins": -11}, ["expires on "]),
    ],
    ids=["good", "expired", "not yet", "good, and made for a few days only", "soon", "soon, for so short a time"],
)
def test_what_clients_will_not_like_is_told(authority: Authority, how: dict[str, int], words: list[str]) -> None:
    if how.get("days", 1) < 0:
        how = {"begins": -10, "days": 5}
    found = read(authority.entry("localhost", **how)).warnings(datetime.now(UTC))
    assert len(found) == len(words)
    for line, expected in zip(found, words, strict=True):
        assert line.startswith(f"the certificate localhost.pem (localhost) {expected}")


def test_a_certificate_without_names_is_refused_by_browsers(authority: Authority) -> None:
    key = authority.entry("localhost")["key"]
    command = ["openssl", "req", "-x509", "-new", "-subj", "/CN=localhost", "-key", key, "-out", "bare.pem"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OPENSSL_CONF": os.devnull})
    certificate = read({"cert": "bare.pem", "key": key})
    assert certificate.names == ()
    (line,) = certificate.warnings(certificate.begins + timedelta(days=1))
    assert line == "the certificate bare.pem names no domain (subjectAltName): browsers will refuse it"
