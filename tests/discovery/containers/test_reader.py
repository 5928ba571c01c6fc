"""Containers: where they are reached and whether they may join, from entries as an engine lists them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.discovery import ContainerView
from dockerproxy.discovery.containers.address import AddressBook
from dockerproxy.discovery.containers.fleet import Fleet
from dockerproxy.discovery.containers.reader import ContainerReader
from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.discovery.engine.networks import KnownNetworks
from dockerproxy.discovery.engine.own_container import OwnContainer, own_ids, resolve
from dockerproxy.labels.native import LabelReader
from dockerproxy.labels.reason import Code
from dockerproxy.routing.route import Domain, Source
from dockerproxy.settings import DockerSettings
from tests.discovery.support import entry, network

ENABLED = {
    "dockerproxy.enable": "true",
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
}
OWN_ID = "c0ffee" * 10 + "beef"


def view(
    data: Mapping[str, Any], *, own: OwnContainer | None = None, draining: bool = False, **settings: Any
) -> ContainerView:
    dialect = LabelReader("dockerproxy", "localhost")
    book = AddressBook(DockerSettings(**settings), own, dialect.key)
    return ContainerReader(dialect, book).view(Entry.from_json(data), draining)


def own(*networks: str, mode: str = "front", host: str = "") -> OwnContainer:
    attached: dict[str, Any] = {}
    for name in networks:
        attached |= network(name, "172.30.0.2", gateway="172.30.0.1")
    listed = Entry.from_json(entry({}, id_=OWN_ID, name="proxy", networks=attached, mode=mode))
    return OwnContainer.from_entry(listed, lambda _: host)


def labelled(**labels: str) -> dict[str, str]:
    return {**ENABLED, **{f"dockerproxy.{name}": value for name, value in labels.items()}}


def test_a_running_container_with_one_network_and_one_port_needs_nothing_else() -> None:
    seen = view(entry(ENABLED))
    (wish,) = seen.wishes
    assert (seen.id, seen.name, seen.created, seen.state) == ("a" * 64, "shop-web-1", 1_700_000_000, "running")
    assert (seen.routed, seen.address, seen.reasons) == (True, "172.18.0.5:80", ())
    assert (wish.route, wish.default_domain, wish.domains) == ("web", Domain("web.localhost"), None)
    upstream = wish.upstream
    assert (upstream.name, upstream.url, upstream.weight) == ("shop-web-1", "http://172.18.0.5:80", 1)
    assert (upstream.source, upstream.container, upstream.draining) == (Source.DOCKER, "a" * 64, False)


def test_labels_reach_the_wish() -> None:
    (wish,) = view(
        entry(labelled(host="a.localhost", scheme="https", port="8443", weight="4", hold="2s", method="GET"))
    ).wishes
    assert wish.upstream.url == "https://172.18.0.5:8443"
    assert wish.upstream.weight == 4
    assert (wish.domains, wish.methods, wish.options) == ((Domain("a.localhost"),), ("GET",), {"hold": 2.0})


@pytest.mark.parametrize(
    ("label", "project"),
    [("host", "shop"), ("route", ""), ("blog.host", ""), ("api.host", "")],
)
def test_a_route_that_no_label_names_is_told_with_the_project_of_its_service(label: str, project: str) -> None:
    compose = {"com.docker.compose.project": "shop", "com.docker.compose.service": "blog"}
    (wish,) = view(entry({f"dockerproxy.{label}": "blog"} | compose)).wishes

    assert wish.project == project


def test_a_project_that_could_forge_a_line_of_the_log_is_left_out() -> None:
    compose = {"com.docker.compose.project": "shop\n", "com.docker.compose.service": "blog"}
    (wish,) = view(entry({"dockerproxy.enable": "true"} | compose)).wishes

    assert wish.project == ""


def test_a_container_that_was_told_to_stop_is_listed_as_draining() -> None:
    seen = view(entry(ENABLED), draining=True)
    assert seen.routed
    assert not seen.wishes[0].upstream.in_rotation


def tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"PrivatePort": port, "Type": "tcp"} for port in ports]


@pytest.mark.parametrize(
    ("ports", "labels", "address"),
    [
        (tcp(2368), {}, "172.18.0.5:2368"),
        (tcp(9000, 80), {}, "172.18.0.5:80"),
        (tcp(9000, 443), {"scheme": "https"}, "172.18.0.5:443"),
        (tcp(9000, 80), {"port": "9000"}, "172.18.0.5:9000"),
        (tcp(), {"port": "3000"}, "172.18.0.5:3000"),
        ([*tcp(8080), {"PrivatePort": 53, "Type": "udp"}], {}, "172.18.0.5:8080"),
        (
            [
                {"IP": "0.0.0.0", "PrivatePort": 8080, "PublicPort": 80, "Type": "tcp"},
                {"IP": "::", "PrivatePort": 8080, "PublicPort": 80, "Type": "tcp"},
            ],
            {},
            "172.18.0.5:8080",
        ),
    ],
)
def test_the_port(ports: list[dict[str, Any]], labels: dict[str, str], address: str) -> None:
    seen = view(entry(labelled(**labels), ports=ports))
    assert (seen.address, seen.reasons) == (address, ())


def test_without_a_port_the_container_is_not_routed_and_the_label_is_named() -> None:
    seen = view(entry(ENABLED, ports=[{"PrivatePort": 53, "Type": "udp"}]))
    assert (seen.routed, seen.address) == (False, "")
    assert seen.reasons == ("it exposes no TCP port; add the label dockerproxy.port=<port the application listens on>",)


def test_several_ports_are_listed() -> None:
    (reason,) = view(entry(ENABLED, ports=tcp(9000, 8080))).reasons
    assert "it exposes the ports 8080, 9000 and none is 80; add the label dockerproxy.port=" in reason


def test_a_route_without_a_port_does_not_harm_the_other_route() -> None:
    labels = {"dockerproxy.api.port": "9000", "dockerproxy.web.host": "a.localhost"}
    seen = view(entry(labels, ports=tcp(9000, 9001)))
    assert [wish.route for wish in seen.wishes] == ["api"]
    assert "exposes the ports 9000, 9001" in seen.reasons[0]


THREE = {
    **network("alpha", "10.1.0.2"),
    **network("front", "10.2.0.2"),
    **network("shop_default", "10.3.0.2"),
}


def test_on_the_host_the_projects_default_network_is_preferred() -> None:
    assert view(entry(ENABLED, networks=THREE)).address == "10.3.0.2:80"


def test_on_the_host_without_it_the_first_by_name_is_taken() -> None:
    assert view(entry({"dockerproxy.enable": "true"}, networks=THREE)).address == "10.1.0.2:80"


def test_the_label_names_the_network() -> None:
    assert view(entry(labelled(network="front"), networks=THREE)).address == "10.2.0.2:80"


def test_the_label_may_name_it_as_the_compose_file_does() -> None:
    assert view(entry(labelled(network="default"), networks=THREE)).address == "10.3.0.2:80"


def test_the_setting_names_the_network_and_the_label_wins_over_it() -> None:
    assert view(entry(ENABLED, networks=THREE), network="front").address == "10.2.0.2:80"
    assert view(entry(labelled(network="alpha"), networks=THREE), network="front").address == "10.1.0.2:80"


@pytest.mark.parametrize(
    ("labels", "mine", "network_chosen", "why"),
    [
        ({"network": "front"}, None, "front", "the label dockerproxy.network says so"),
        ({}, None, "shop_default", "it is the compose project's default, of the 3 that it is on"),
        ({}, ("front", "alpha"), "alpha", "it is the first by name of the 2 that the proxy shares with the container;"
         " the label dockerproxy.network chooses another"),
        ({}, ("front",), "front", "it is the only one that the proxy shares with the container"),
    ],
)  # fmt: skip
def test_the_choice_of_a_network_is_explained(
    labels: dict[str, str], mine: tuple[str, ...] | None, network_chosen: str, why: str
) -> None:
    seen = view(entry(labelled(**labels), networks=THREE), own=own(*mine) if mine else None)
    (wish,) = seen.wishes
    assert (wish.reach.network, wish.reach.why_network) == (network_chosen, why)


def test_a_setting_for_the_network_is_told_as_the_cause() -> None:
    (wish,) = view(entry(ENABLED, networks=THREE), network="front").wishes
    assert wish.reach.why_network == "the setting docker.network says so"
    (wish,) = view(entry(ENABLED)).wishes
    assert wish.reach.why_network == "it is the only one that the container is on"


@pytest.mark.parametrize(
    ("ports", "labels", "why"),
    [
        (tcp(2368), {}, "it is the only TCP port that the container exposes"),
        (tcp(9000, 443), {"scheme": "https"}, "it is the usual port of https, and the container exposes it"),
        (tcp(9000, 80), {"port": "9000"}, "the label dockerproxy.port says so"),
    ],
)
def test_the_choice_of_a_port_is_explained(ports: list[dict[str, Any]], labels: dict[str, str], why: str) -> None:
    (wish,) = view(entry(labelled(**labels), ports=ports)).wishes
    assert wish.reach.why_port == why


def test_a_published_port_is_told_as_such() -> None:
    ports = [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 32768, "Type": "tcp"}]
    (wish,) = view(entry(ENABLED, ports=ports), address="published").wishes
    assert "80 is published as 32768" in wish.reach.why_port
    assert "docker.address=published" in wish.reach.why_network


def published(*addresses: str) -> list[dict[str, Any]]:
    """Port 80 at each address of the host, at 8080 and the ports after it; an address "" is not told."""
    return [
        {"PrivatePort": 80, "PublicPort": 8080 + at, "Type": "tcp", **({"IP": address} if address else {})}
        for at, address in enumerate(addresses)
    ]


@pytest.mark.parametrize(
    ("bound", "settings", "reached"),
    [
        (["127.0.0.2"], {}, "127.0.0.2:8080"),
        (["192.168.7.1"], {}, "192.168.7.1:8080"),
        (["192.168.7.1"], {"published_host": "docker.lan"}, "192.168.7.1:8080"),
        (["0.0.0.0", "::"], {}, "127.0.0.1:8080"),
        (["0.0.0.0"], {"published_host": "docker.lan"}, "docker.lan:8080"),
        ([""], {"published_host": "docker.lan"}, "docker.lan:8080"),
        (["::1"], {}, "[::1]:8080"),
        (["::"], {}, "[::1]:8080"),
        (["::"], {"published_host": "localhost"}, "[::1]:8080"),
        (["::"], {"published_host": "docker.lan"}, "docker.lan:8080"),
        (["2001:db8::7"], {}, "[2001:db8::7]:8080"),
        (["0.0.0.0"], {"published_host": "::1"}, "127.0.0.1:8080"),
        (["127.0.0.2", "0.0.0.0"], {}, "127.0.0.1:8081"),
        (["::1", "127.0.0.3"], {}, "127.0.0.3:8081"),
        (["127.0.0.1"], {"published_host": "host.docker.internal"}, "host.docker.internal:8080"),
    ],
)
def test_a_published_port_is_reached_at_the_address_that_it_is_bound_to(
    bound: list[str], settings: dict[str, Any], reached: str
) -> None:
    assert view(entry(ENABLED, ports=published(*bound)), address="published", **settings).address == reached


@pytest.mark.parametrize(
    ("bound", "host"),
    [(["127.0.0.1"], "10.0.0.5"), (["::1"], "10.0.0.5"), (["::"], "10.0.0.5"), (["127.0.0.1"], "::2")],
)
def test_a_published_port_that_cannot_be_reached_is_told_and_not_tried(bound: list[str], host: str) -> None:
    (reason,) = view(entry(ENABLED, ports=published(*bound)), address="published", published_host=host).reasons
    assert reason.code is Code.NOT_PUBLISHED
    assert bound[0] in reason
    assert f"docker.published_host={host}" in reason


def test_what_is_bound_to_loopback_is_not_reached_from_another_container() -> None:
    seen = view(entry(ENABLED, ports=published("127.0.0.1")), own=own("front"), address="published")
    assert [reason.code for reason in seen.reasons] == [Code.NOT_PUBLISHED]


def test_a_port_of_the_list_without_one_of_the_host_is_not_published() -> None:
    ports = [{"IP": "0.0.0.0", "PrivatePort": 80, "Type": "tcp"}]  # a network with gateway_mode_ipv4=routed
    (reason,) = view(entry(ENABLED, ports=ports), address="published").reasons
    assert "its port 80 is not published" in reason


def test_the_view_keeps_the_labels_and_is_equal_to_one_with_others() -> None:
    seen = view(entry({**ENABLED, "maintainer": "x"}))
    assert seen.labels["maintainer"] == "x"
    assert seen == view(entry(ENABLED))


def test_a_network_that_the_container_is_not_on_is_told_with_the_command() -> None:
    (reason,) = view(entry(labelled(network="backend"))).reasons
    assert reason == (
        "it is not on network backend (it is on shop_default); run: docker network connect backend shop-web-1"
    )


ISOLATED = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
ISOLATED6 = {"com.docker.network.bridge.gateway_mode_ipv6": "isolated"}


def seen_with(
    known: Sequence[Mapping[str, Any]], container: Mapping[str, Any], *, own: OwnContainer | None = None
) -> ContainerView:
    """The view of a container where the engine has these networks."""
    entries, networks = Entry.from_json(container), KnownNetworks()
    networks.learn({each.id for each in entries.networks}, known)
    dialect = LabelReader("dockerproxy", "localhost")
    return ContainerReader(dialect, AddressBook(DockerSettings(), own, dialect.key, networks)).view(entries)


def with_ipv6(name: str) -> dict[str, Any]:
    attached = network(name)
    attached[name]["GlobalIPv6Address"] = "2001:db8::5"
    return attached


ON_FRONT = {"Id": "id-of-front", "Driver": "bridge"}


@pytest.mark.parametrize("like", [{"Options": ISOLATED}, {"Driver": "overlay"}, {"Options": ISOLATED | ISOLATED6}])
@pytest.mark.parametrize("labels", [ENABLED, labelled(network="front")])
def test_a_network_that_the_host_does_not_reach_is_told(like: dict[str, Any], labels: dict[str, str]) -> None:
    seen = seen_with([{**ON_FRONT, **like}], entry(labels, networks=with_ipv6("front")))
    assert seen.routed == (like == {"Options": ISOLATED}), "its IPv6 address may be reached"
    alone = seen_with([{**ON_FRONT, **like}], entry(labels, networks=network("front")))
    (reason,) = alone.reasons
    assert reason.code is Code.ISOLATED_NETWORK
    assert reason.startswith("its network front does not lead to it from the host")
    assert "docker network connect bridge shop-web-1" in reason


def test_of_several_networks_one_that_leads_there_is_taken() -> None:
    known = [{**ON_FRONT, "Options": ISOLATED}, {"Id": "id-of-back", "Driver": "bridge", "Options": {}}]
    attached = network("back", "172.18.0.9") | network("front")
    assert seen_with(known, entry(ENABLED, networks=attached)).address == "172.18.0.9:80"


def test_where_only_ipv6_is_left_that_address_is_taken() -> None:
    seen = seen_with([{**ON_FRONT, "Options": ISOLATED}], entry(ENABLED, networks=with_ipv6("front")))
    assert seen.address == "[2001:db8::5]:80"


@pytest.mark.parametrize("known", [[], [{**ON_FRONT, "Options": None}], [{**ON_FRONT, "Options": ISOLATED6}]])
def test_nothing_bad_is_assumed_of_a_network(known: list[Mapping[str, Any]]) -> None:
    assert seen_with(known, entry(ENABLED, networks=network("front"))).address == "172.18.0.5:80"


def test_a_proxy_in_a_container_reaches_what_is_on_its_own_network() -> None:
    known = [{**ON_FRONT, "Options": ISOLATED}]
    seen = seen_with(known, entry(ENABLED, networks=network("front")), own=own("front"))
    assert seen.address == "172.18.0.5:80"


def test_no_network_at_all() -> None:
    (reason,) = view(entry(ENABLED, networks=network("none", ""), mode="none")).reasons
    assert reason == (
        "it was started without a network (--network none);"
        " run: docker network disconnect none shop-web-1 && docker network connect bridge shop-web-1"
    )


def test_a_container_that_was_taken_off_all_networks() -> None:
    (reason,) = view(entry(ENABLED, networks={}, mode="bridge")).reasons
    assert reason == "it is on no network; run: docker network connect bridge shop-web-1"
    (reason,) = view(entry(ENABLED, networks={}, mode="bridge"), network="front").reasons
    assert (reason.code, reason.mend) == (Code.NO_NETWORK, "run: docker network connect front shop-web-1")


@pytest.mark.parametrize("mode", ["bridge", "none"])
def test_without_a_network_it_is_to_be_connected_to_one_of_the_proxys(mode: str) -> None:
    networks = network("none", "") if mode == "none" else {}
    (reason,) = view(entry(ENABLED, networks=networks, mode=mode), own=own("front")).reasons
    assert reason.mend is not None
    assert reason.mend.endswith("docker network connect front shop-web-1")


def test_a_copy_of_a_reason_is_as_good_as_the_reason() -> None:
    (reason,) = view(entry(labelled(hold="soon"))).reasons
    again = copy.deepcopy(reason)
    assert again == reason
    assert (again.code, again.label, again.follows) == (Code.WRONG_VALUE, "dockerproxy.hold", "its default is used")


def test_a_network_without_an_address_yet() -> None:
    (reason,) = view(entry(ENABLED, networks=network("front", ""))).reasons
    assert reason == "it has no address on network front yet"


def test_an_ipv6_only_container_has_brackets_in_its_url() -> None:
    networks = network("six", "")
    networks["six"]["GlobalIPv6Address"] = "fd00::5"
    (wish,) = view(entry(ENABLED, networks=networks)).wishes
    assert wish.upstream.url == "http://[fd00::5]:80"
    assert wish.upstream.address == "http://[fd00::5]:80"


def test_from_inside_a_container_only_shared_networks_count() -> None:
    assert view(entry(ENABLED, networks=THREE), own=own("front", "other")).address == "10.2.0.2:80"
    assert view(entry(ENABLED, networks=THREE), own=own("front", "alpha")).address == "10.1.0.2:80"
    assert view(entry(ENABLED, networks=THREE), own=own("front", "shop_default")).address == "10.3.0.2:80"


def test_no_shared_network_is_told_with_both_sides_and_the_command() -> None:
    (reason,) = view(entry(ENABLED), own=own("front")).reasons
    assert reason == (
        "it shares no network with the proxy (it is on shop_default, the proxy on front);"
        " run: docker network connect shop_default proxy"
    )


def test_networks_of_one_name_and_different_ids_are_not_shared() -> None:
    mine = own("front")
    assert not view(entry(ENABLED, networks=network("front", id_="another")), own=mine).routed
    without_ids = network("front")
    without_ids["front"]["NetworkID"] = ""
    assert view(entry(ENABLED, networks=without_ids), own=mine).routed


def test_a_proxy_in_a_host_networked_container_is_as_good_as_on_the_host() -> None:
    assert view(entry(ENABLED), own=own(mode="host")).address == "172.18.0.5:80"


def test_published_ports() -> None:
    ports = [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 32768, "Type": "tcp"}]
    assert view(entry(ENABLED, ports=ports), address="published").address == "127.0.0.1:32768"
    elsewhere = view(entry(ENABLED, ports=ports), address="published", published_host="docker.lan")
    assert elsewhere.address == "docker.lan:32768"


def test_a_port_that_is_not_published_is_told() -> None:
    (reason,) = view(entry(ENABLED), address="published").reasons
    assert "its port 80 is not published" in reason
    assert "--publish 127.0.0.1::80" in reason


def test_host_networking() -> None:
    hosted = entry(labelled(port="3000"), networks=network("host", ""), mode="host", ports=[])
    assert view(hosted).address == "127.0.0.1:3000"
    assert view(hosted, own=own(mode="host")).address == "127.0.0.1:3000"
    assert view(hosted, own=own("front", host="192.168.65.254")).address == "192.168.65.254:3000"
    assert view(hosted, own=own("front")).address == "172.30.0.1:3000"


def test_host_networking_needs_the_label_port_and_a_way_to_the_host() -> None:
    hosted = entry(ENABLED, networks=network("host", ""), mode="host", ports=[])
    assert "add the label dockerproxy.port=" in view(hosted).reasons[0]
    labelled_port = {**hosted, "Labels": labelled(port="3000")}
    (reason,) = view(labelled_port, own=own()).reasons
    assert "--add-host host.docker.internal:host-gateway" in reason


def test_a_container_in_the_network_of_one_that_is_gone() -> None:
    (reason,) = view(entry(ENABLED, networks={}, mode="container:abc")).reasons
    assert "put the labels on that container" in reason


VPN_ID, MEMBER_ID = "1" * 64, "a" * 64


def member(**more: Any) -> dict[str, Any]:
    """A container with labels that uses the network of the container `vpn`."""
    return entry(ENABLED, **{"mode": f"container:{VPN_ID}", "networks": {}, **more})


def vpn(labels: Mapping[str, str] = {}, **more: Any) -> dict[str, Any]:
    return entry(labels, **{"id_": VPN_ID, "name": "vpn", "networks": network("shop_default", "172.18.0.9"), **more})


def views(*listed: Mapping[str, Any], draining: Set[str] = frozenset(), **settings: Any) -> dict[str, ContainerView]:
    """The views of all containers with labels of ours, by name."""
    found = Fleet(DockerSettings(**settings), own=(OWN_ID,))
    found.replace(listed)
    return {view.name: view for view in found.snapshot(draining).containers}


@pytest.mark.parametrize("owner", [vpn(), vpn({"dockerproxy.port": "9"})])
def test_a_container_in_the_network_of_another_is_reached_there_by_its_own_labels(owner: dict[str, Any]) -> None:
    seen = views(member(ports=tcp(8080)), owner)["shop-web-1"]
    assert (seen.address, seen.networks, seen.reasons) == ("172.18.0.9:8080", ("shop_default",), ())
    assert [wish.route for wish in seen.wishes] == ["web"]
    assert "it uses the network of container vpn" in seen.wishes[0].reach.why_network


def test_the_port_of_another_container_is_none_of_its_own() -> None:
    (reason,) = views(member(ports=[]), vpn(ports=tcp(80)))["shop-web-1"].reasons
    assert reason.code is Code.NO_PORT


def test_a_container_in_the_network_of_another_is_published_by_that_one() -> None:
    found = views(member(ports=tcp(80)), vpn(ports=published("127.0.0.2")), address="published")
    assert found["shop-web-1"].address == "127.0.0.2:8080"


def test_a_container_in_the_network_of_one_in_the_host_s_is_on_the_host() -> None:
    host = vpn(networks=network("host", ""), mode="host")
    found = views(member(ports=tcp(80), name="web-1"), host)["web-1"]
    assert found.reasons[0].code is Code.NO_PORT


def test_what_is_missing_is_connected_to_the_container_that_has_the_network() -> None:
    found = views(member(ports=tcp(80)), vpn(), network="back")["shop-web-1"]
    assert "docker network connect back vpn" in found.reasons[0]


def test_a_container_leaves_with_the_one_whose_network_it_uses() -> None:
    fleet = Fleet(DockerSettings(), own=(OWN_ID,))
    fleet.replace([member(ports=tcp(80)), vpn()])
    assert VPN_ID in fleet
    (draining,) = fleet.snapshot({VPN_ID}).containers
    assert [wish.upstream.draining for wish in draining.wishes] == [True]
    assert fleet.alive(VPN_ID)
    fleet.update({VPN_ID}, [vpn(state="exited")])
    (gone,) = fleet.snapshot(set()).containers
    assert gone.reasons[0].code is Code.ANOTHERS_NETWORK
    assert "docker start vpn && docker restart shop-web-1" in gone.reasons[0]
    fleet.update({VPN_ID}, [vpn(networks=network("shop_default", "172.18.0.77"))])
    assert fleet.snapshot(set()).containers[0].address == "172.18.0.77:80"


@pytest.mark.parametrize(
    ("owners", "words"),
    [
        ([], "and it uses the network of another container, which is not there any more; create it anew"),
        ([vpn(state="exited")], "which does not run; run: docker start vpn && docker restart shop-web-1"),
        ([vpn()], "it has exited; run: docker start shop-web-1"),
    ],
)
def test_one_that_cannot_be_started_without_another_is_told_so(owners: list[dict[str, Any]], words: str) -> None:
    (reason,) = views(member(state="exited"), *owners)["shop-web-1"].reasons
    assert reason.code is Code.EXITED
    assert words in reason


def test_a_proxy_in_the_network_of_another_container_shares_that_one_s_networks() -> None:
    proxy = entry({}, id_=OWN_ID, name="proxy", networks={}, mode=f"container:{VPN_ID}")
    there = entry(ENABLED, id_="5" * 64, name="web-1", networks=network("shop_default", "172.18.0.5"))
    elsewhere = entry(ENABLED, id_="6" * 64, name="web-2", networks=network("back"))
    found = views(proxy, vpn(), there, elsewhere)
    assert found["web-1"].address == "172.18.0.5:80"
    assert "docker network connect back vpn" in found["web-2"].reasons[0]


@pytest.mark.parametrize(
    ("state", "status", "words"),
    [
        ("created", "Created", "has been created, but not started; run: docker start shop-web-1"),
        ("paused", "Up 2 minutes (Paused)", "it is paused; run: docker unpause shop-web-1"),
        ("restarting", "Restarting (1) 3 seconds ago", "docker logs shop-web-1 tells why it ended"),
        ("removing", "Removal In Progress", "it is being removed"),
        ("exited", "Exited (137) 2 minutes ago", "it has exited (exit code 137); run: docker start shop-web-1;"),
        ("exited", "", "it has exited; run: docker start"),
        ("dead", "Dead", "docker rm --force shop-web-1"),
        ("stuck", "Stuck", "its state is stuck, not running"),
        ("running", "Up 3 seconds (health: starting)", "its health check has not succeeded yet"),
        ("running", "Up 3 minutes (unhealthy)", "its health check fails"),
    ],
)
def test_a_container_that_is_not_ready_is_told_and_not_routed(state: str, status: str, words: str) -> None:
    seen = view(entry(ENABLED, state=state, status=status))
    assert not seen.routed
    assert seen.state == ("starting" if "health: starting" in status else state)
    assert words in seen.reasons[0]


@pytest.mark.parametrize("status", ["Up 3 seconds", "Up 3 minutes (healthy)", "Up About an hour"])
def test_a_healthy_container_and_one_without_a_check_join(status: str) -> None:
    assert view(entry(ENABLED, status=status)).routed


@pytest.mark.parametrize(
    ("health", "routed"), [("healthy", True), ("none", True), ("starting", False), ("unhealthy", False)]
)
def test_newer_engines_tell_the_health_in_a_key_of_its_own(health: str, routed: bool) -> None:
    assert view(entry(ENABLED, status="Up 3 seconds", Health={"Status": health, "FailingStreak": 0})).routed is routed


def test_a_forbidden_container_says_only_that() -> None:
    seen = view(entry(labelled(enable="false"), state="exited"))
    assert seen.reasons == ("its label dockerproxy.enable=false forbids it",)


def test_names_with_links_and_without_any() -> None:
    assert view(entry(ENABLED, Names=["/other/alias", "/web"])).name == "web"
    assert view(entry(ENABLED, Names=None)).name == "a" * 12


def fleet(*listed: dict[str, Any], own_id: str = "") -> Fleet:
    found = Fleet(DockerSettings(), own=(own_id,) if own_id else ())
    found.replace(listed)
    return found


def names(found: Fleet) -> list[str]:
    return [seen.name for seen in found.snapshot(set()).containers]


def test_a_snapshot_holds_the_labelled_containers_by_age() -> None:
    found = fleet(
        entry(ENABLED, id_="2" * 64, name="young", created=200),
        entry({"maintainer": "x"}, id_="3" * 64, name="stranger"),
        entry(ENABLED, id_="1" * 64, name="old", created=100),
    )
    assert names(found) == ["old", "young"]
    assert found.snapshot(set()).engine == "unix:///var/run/docker.sock"
    assert "3" * 64 not in found
    assert "Fleet of 2" in repr(found)


def test_a_list_of_some_containers_changes_only_those() -> None:
    found = fleet(entry(ENABLED, id_="1" * 64, name="one"), entry(ENABLED, id_="2" * 64, name="two"))
    found.update({"1" * 64, "3" * 64}, [entry(ENABLED, id_="3" * 64, name="three")])
    assert names(found) == ["two", "three"]


def test_nothing_but_time_passing_gives_an_equal_snapshot_of_the_same_views() -> None:
    found = fleet(entry(ENABLED, status="Up 1 second"))
    before = found.snapshot(set())
    found.replace([entry(ENABLED, status="Up 2 seconds")])
    after = found.snapshot(set())
    assert after == before
    assert after.containers[0] is before.containers[0]


def test_the_fleet_finds_the_proxys_own_container_and_follows_its_networks() -> None:
    web = entry(ENABLED)
    proxy = entry({}, id_=OWN_ID, name="proxy", networks=network("front"), mode="front")
    found = fleet(web, proxy, own_id=OWN_ID[:12])
    assert found.own is not None
    assert found.own.name == "proxy"
    assert "proxy" in repr(found)
    assert not found.snapshot(set()).containers[0].routed
    moved = {**proxy, "NetworkSettings": {"Networks": {**network("front"), **network("shop_default")}}}
    found.update({OWN_ID}, [moved])
    assert found.snapshot(set()).containers[0].routed


def test_an_id_that_the_engine_does_not_list_is_not_believed() -> None:
    assert fleet(entry(ENABLED), own_id="9" * 12).own is None


def test_own_ids_come_from_the_hostname_the_mounts_and_the_cgroup(tmp_path: Any) -> None:
    proc = tmp_path / "proc/self"
    proc.mkdir(parents=True)
    mounted, grouped, other = "1" * 64, "2" * 64, "3" * 64
    (proc / "mountinfo").write_text(
        f"905 899 8:1 /var/lib/docker/containers/{mounted}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"
        f"906 25 0:50 / /var/lib/docker/containers/{other}/mounts/shm rw,nosuid - tmpfs shm rw\n"
    )
    (proc / "cgroup").write_text(f"12:pids:/docker/{grouped}\n0::/\n")
    assert own_ids(tmp_path, "0123456789ab") == {mounted, grouped, "0123456789ab"}
    assert own_ids(tmp_path / "nowhere", "my-laptop") == frozenset()


def test_a_name_is_found_in_the_hosts_file_or_not(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n\n# a comment\n172.17.0.1\tgateway host.docker.internal # added\n")
    assert resolve("host.docker.internal", hosts) == "172.17.0.1"
    assert resolve("nowhere.invalid", hosts) == ""


def test_a_container_without_a_label_of_ours_is_a_stranger_until_it_bears_one() -> None:
    found = fleet(entry(ENABLED, id_="1" * 64, name="ours"), entry({"x": "y"}, id_="2" * 64, name="theirs"))
    before = found.listing
    assert [stranger.name for stranger in before.strangers] == ["theirs"]

    found.update({"2" * 64}, [entry(ENABLED, id_="2" * 64, name="theirs")])
    assert not found.listing.strangers
    assert [stranger.name for stranger in before.strangers] == ["theirs"]  # a reader in another thread is not disturbed
    assert "2" * 64 in found

    found.replace([entry({}, id_="3" * 64, name="new")])
    assert [stranger.name for stranger in found.listing.strangers] == ["new"]
    assert repr(found.listing) == "<Listing: 0 with labels of ours, 1 strangers>"


def test_it_is_known_what_would_become_of_a_container_with_other_labels() -> None:
    listing = fleet(entry({}), entry({"dockerproxy.hots": "x"}, id_="2" * 64, ports=tcp(1, 2))).listing

    one, two = (listing.what_if(id_ * 64, {"dockerproxy.host": "web.localhost"}) for id_ in "a2")

    assert one is not None
    assert two is not None
    assert one.wishes[0].domains == (Domain("web.localhost"),)
    assert two.reasons[0].code is Code.SEVERAL_PORTS
    assert listing.what_if("9" * 64, {}) is None


def test_a_container_that_was_started_without_a_network_and_connected_later_is_reached() -> None:
    (wish,) = view(entry(ENABLED, networks=network("bridge", "172.17.0.3"), mode="none")).wishes
    assert wish.address == "172.17.0.3:80"


@pytest.mark.parametrize(
    "labels",
    [
        {"dockerproxy.path_regex": "(" * 3000 + ")" * 3000},
        {"dockerproxy.path_regex": "(" * 499 + ")" * 499},
        {"dockerproxy.path_regex": "a{99999999999999999999}"},
        {"dockerproxy.max_body": "9" * 400},
        {"dockerproxy.hold": "9" * 400},
        {"dockerproxy.port": "9" * 5000},
        {"dockerproxy.weight": "9" * 5000},
    ],
    ids=["nested", "nested but short", "repeated", "size", "duration", "port", "weight"],
)
def test_an_absurd_value_is_a_wrong_value_of_that_container_only(labels: dict[str, str]) -> None:
    fleet = Fleet(DockerSettings())
    fleet.replace([entry({**ENABLED, **labels}, id_="a" * 64, name="bad"), entry(ENABLED, id_="b" * 64, name="good")])

    views = {each.name: each for each in fleet.snapshot(set()).containers}

    assert views["bad"].reasons[0].code is Code.WRONG_VALUE
    assert views["good"].wishes
    assert views["good"].reasons == ()


def test_what_nobody_has_foreseen_in_one_container_costs_that_container_only(monkeypatch: pytest.MonkeyPatch) -> None:
    read = LabelReader.read

    def failing(self: LabelReader, labels: Mapping[str, str], container: str, service: str = "") -> Any:
        if container == "bad":
            raise KeyError("surprise")
        return read(self, labels, container, service)

    monkeypatch.setattr(LabelReader, "read", failing)
    fleet = Fleet(DockerSettings())
    fleet.replace([entry(ENABLED, id_="a" * 64, name="bad"), entry(ENABLED, id_="b" * 64, name="good")])

    views = {each.name: each for each in fleet.snapshot(set()).containers}

    assert [reason.code for reason in views["bad"].reasons] == [Code.UNREADABLE]
    assert not views["bad"].wishes
    assert views["good"].wishes


def test_a_container_that_is_stopping_finishes_what_it_has_and_gets_nothing_new() -> None:
    fleet = Fleet(DockerSettings(), own=())
    fleet.replace([entry(ENABLED, state="stopping", status="Stopping")])
    (seen,) = fleet.snapshot(set()).containers
    assert (seen.routed, seen.reasons, seen.wishes[0].upstream.draining) == (True, (), True)
    assert fleet.alive(seen.id)
