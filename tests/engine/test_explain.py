"""Mislabelled containers at a real engine: the tool says why each is not routed, and what mends it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.explain import explain_offline
from tests.engine.conftest import AppImage
from tests.engine.containers import Containers
from tests.support.docker_engine import Engine

WRONG: list[tuple[dict[str, str], dict[str, Any], str, str]] = [
    ({"maintainer": "x"}, {}, "no_label", "add the label dockerproxy.enable=true"),
    ({"docker-proxy.enable": "true"}, {}, "near_prefix", "rename the label to dockerproxy.enable"),
    ({"dockerproxy.hots": "a.localhost"}, {}, "unknown_label", "rename the label to dockerproxy.host"),
    ({"dockerproxy.host": "http://a.localhost/"}, {}, "wrong_value", "write dockerproxy.host=a.localhost"),
    ({"dockerproxy.enable": "true"}, {"network_mode": "none"}, "no_network", "run: docker network disconnect none "),
]


@pytest.fixture
def file(engine: Engine, tmp_path: Path) -> str:
    """Settings that lead to the engine."""
    path = tmp_path / "site.yaml"
    path.write_text(json.dumps({"docker": {"host": engine.host}}))
    return str(path)


@pytest.mark.parametrize(("labels", "options", "code", "mend"), WRONG, ids=[wrong[2] for wrong in WRONG])
def test_a_mislabelled_container_is_told_what_is_wrong_and_what_mends_it(
    file: str, containers: Containers, labels: dict[str, str], options: dict[str, Any], code: str, mend: str
) -> None:
    container = containers.run(labels=labels, **options)

    answer = explain_offline(file, str(container.name))

    assert (answer["routed"], answer["code"]) == (False, code)
    assert answer["reasons"][0]["mend"].startswith(mend)


def test_several_exposed_ports_are_listed(file: str, containers: Containers, app_image: AppImage) -> None:
    container = containers.run(labels={"dockerproxy.enable": "true"}, image=app_image("8000 8001"))

    answer = explain_offline(file, str(container.name))

    assert answer["verdict"] == f"{container.name} is not routed: it exposes the ports 8000, 8001 and none is 80"


@pytest.mark.smoke
def test_what_inspect_says_of_a_container_leads_to_the_same_answer(
    file: str, containers: Containers, tmp_path: Path
) -> None:
    container = containers.run(labels={"dockerproxy.host": "a.localhost"})
    kept = tmp_path / "inspect.json"
    kept.write_text(json.dumps([containers.client.api.inspect_container(str(container.id))]))

    asked = explain_offline(file, str(container.name))["routes"][0]
    read = explain_offline(file, str(container.name), inspect_file=str(kept))["routes"][0]

    assert {key: asked[key] for key in read} == read


@pytest.mark.docker_only("it connects nothing to a container that was started without a network")
def test_a_container_without_a_network_is_mended_by_what_is_said(
    file: str, containers: Containers, engine: Engine
) -> None:
    container = containers.run(labels={"dockerproxy.port": "80"}, network_mode="none")
    name = str(container.name)
    with contextlib.closing(engine.client()) as client:
        client.networks.get("none").disconnect(name)
        client.networks.get("bridge").connect(name)

    assert explain_offline(file, name)["routed"]
