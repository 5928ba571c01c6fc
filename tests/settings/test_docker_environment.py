"""Docker's own variables name the engine, where nothing of ours does."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerproxy.errors import SettingsError
from dockerproxy.settings import load

from .conftest import Read


def test_docker_host_names_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine:2375")
    found = load().docker
    assert found.host == "tcp://engine:2375"
    assert found.tls_ca is None


def test_with_it_the_folder_of_certificates_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CERT_PATH", "/certs")
    assert load().docker.tls_ca is None
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine:2376")
    found = load().docker
    assert (found.tls_ca, found.tls_cert, found.tls_key) == tuple(
        Path("/certs", name) for name in ("ca.pem", "cert.pem", "key.pem")
    )
    assert found.tls_verify


def test_without_a_folder_it_is_that_of_the_command_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("HOME", "/home/ada")
    assert load().docker.tls_ca == Path("/home/ada/.docker/ca.pem")


@pytest.mark.parametrize("tail", ["/path?token=s3cret", "?token=s3cret", "#s3cret"])
def test_an_address_with_a_query_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, read: Read, tail: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://engine:2375{tail}")
    with pytest.raises(SettingsError, match=r"DOCKER_HOST: .*only scheme, host and port are used") as of_docker:
        load()
    with pytest.raises(SettingsError, match=r"docker\.host: .*only scheme, host and port are used") as own:
        read(f"docker: {{host: 'tcp://engine:2375{tail}'}}")
    assert "s3cret" not in f"{own.value}{of_docker.value}"


def test_our_own_settings_count_before_it(monkeypatch: pytest.MonkeyPatch, read: Read) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    assert read("docker: {host: 'unix:///own.sock'}").docker.tls_ca is None
    assert read("docker: {host: 'unix:///own.sock'}").docker.host == "unix:///own.sock"
    assert read("docker: {tls_ca: /own.pem}").docker.tls_ca == Path("/own.pem")
    monkeypatch.setenv("DOCKERPROXY_DOCKER__HOST", "tcp://other:2375")
    assert load().docker.host == "tcp://other:2375"


def test_an_address_that_is_none_for_us_is_blamed_on_the_variable(monkeypatch: pytest.MonkeyPatch, read: Read) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://ada:s3cret@engine")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "DOCKER_HOST: 'ssh://…@engine' is not an engine's address" in str(caught.value)
    assert "set docker.host, which counts before" in str(caught.value)
    assert not read("docker: {enabled: false}").docker.enabled
