"""The pages in docs/ and the README: what they say is what the code does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from dockerproxy.control.base.static import route_of
from dockerproxy.demo import EmbeddedEngine, demo_site
from dockerproxy.labels.native import LabelReader
from dockerproxy.labels.table import LABELS
from dockerproxy.labels.traefik import traefik_hosts, traefik_port
from dockerproxy.proxy.answers import ANSWERS
from dockerproxy.routing.miss import Miss, MissReason
from dockerproxy.routing.route import Source
from dockerproxy.routing.table import RouteTable
from dockerproxy.server import Server
from dockerproxy.settings import (
    OPTION_NAMES,
    CertificateSettings,
    ConstraintSettings,
    DomainSettings,
    PathSettings,
    RouteSettings,
    Settings,
    UpstreamSettings,
    load,
)
from dockerproxy.settings.options import Strict
from dockerproxy.web.middlewares.registry import SHIPPED
from docs.generate import pages
from docs.middleware_tables import EXAMPLES as MIDDLEWARE_EXAMPLES
from docs.middleware_tables import options_of

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
DEADLINE = 60.0  # seconds; far more than anything here takes
HAND_WRITTEN = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *(
        DOCS / f"{name}.md"
        for name in ("dashboard", "matching", "metrics", "middlewares", "python", "security", "tls", "why")
    ),
]
PAGES = [*HAND_WRITTEN, DOCS / "labels.md", DOCS / "settings.md"]
LINKED_PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "findings/README")),
    *sorted(DOCS.glob("*.md")),
]
# The tables of keys, by the line before them, with the model that reads them and what else it needs.
KEY_TABLES: Mapping[str, tuple[type[Strict], dict[str, Any]]] = {
    "A route,": (RouteSettings, {"name": "any"}),
    "A `path`": (PathSettings, {}),
    "A `domain`:": (DomainSettings, {"domain": "localhost"}),
    "An upstream:": (UpstreamSettings, {"url": "http://localhost"}),
    "A certificate in": (CertificateSettings, {"cert": "any.pem"}),
    "The keys of a constraint:": (ConstraintSettings, {"hosts": "blog.localhost", "projects": "*"}),
}
GO_MODELS: Mapping[str, type[Strict]] = {
    "top level, route": RouteSettings,
    "top level": Settings,
    "route": RouteSettings,
    "domain": DomainSettings,
    "path": PathSettings,
}
# Keys that are refused without others.
NEEDED_KEYS = {"access": {"handler": "examples.pages:hello"}}
# In the notation of the Go project where it differs from ours.
GO_VALUES = {"timeToKeepDisabled": "90000000000", "proxyServers": '[{"url": "http://localhost:2368"}]'}

Row = dict[str, str]


def tables(page: Path) -> Iterator[tuple[str, list[Row]]]:
    """Each table of a page: the last line of text before it, and its rows by column, without the marks of code."""
    header: list[str] = []
    rows: list[Row] = []
    before = ""
    for line in [*page.read_text().splitlines(), ""]:
        if line.startswith("|"):
            cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not header:
                header = cells
            elif set(cells) != {"---"}:
                rows.append(dict(zip(header, map(without_code, cells), strict=True)))
            continue
        if header:
            yield before, rows
            header, rows = [], []
        before = line or before


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have where it is shown as a web page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def without_code(cell: str) -> str:
    whole = re.fullmatch(r"`([^`]*)`", cell)
    return whole[1] if whole else cell


def rows_with(page: Path, *columns: str) -> list[Row]:
    """The rows of all tables of a page that have these columns."""
    return [row for _, rows in tables(page) for row in rows if set(columns) <= row.keys()]


MOVING_ROWS = rows_with(DOCS / "labels.md", "Traefik", "here")
SETTING_ROWS = rows_with(DOCS / "settings.md", "setting", "environment")
LABEL_ROWS = rows_with(DOCS / "labels.md", "label", "example")
GO_ROWS = rows_with(DOCS / "settings.md", "in the Go project")
ROUTE_ROWS = rows_with(DOCS / "matching.md", "route", "host")
REQUEST_ROWS = rows_with(DOCS / "matching.md", "request", "answered by")
KEY_ROWS = [
    (start, row)
    for before, rows in tables(DOCS / "settings.md")
    for start in KEY_TABLES
    if before.startswith(start)
    for row in rows
]


@pytest.fixture(autouse=True)
def without_docker_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine that the tests may use is not the default that the pages tell."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def value_at(settings: Settings, path: str) -> Any:
    value: Any = settings
    for part in path.split("."):
        value = getattr(value, part)
    return value


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable, and no dockerproxy.yaml in the current folder."""
    for row in SETTING_ROWS:
        monkeypatch.delenv(row["environment"], raising=False)
    monkeypatch.delenv("DOCKERPROXY_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_a_generated_page_is_what_the_generator_makes_of_the_code(page: Path) -> None:
    assert page.read_text() == pages()[page], f"{page.name} is not up to date: run make docs"


def test_every_label_is_on_the_page() -> None:
    assert {row["label"] for row in LABEL_ROWS} == {f"dockerproxy.{label.name}" for label in LABELS}


@pytest.mark.parametrize("row", LABEL_ROWS, ids=lambda row: row["label"])
def test_the_example_of_a_label_is_understood(row: Row) -> None:
    label, _, value = row["example"].partition("=")

    reading = LabelReader("dockerproxy", "localhost").read({label: value}, "web-1", "web")

    assert label == row["label"]
    assert not reading.reasons
    assert len(reading.routes) == 1


@pytest.mark.parametrize("row", MOVING_ROWS, ids=lambda row: row["for"])
def test_what_is_written_for_another_proxy_has_a_label_that_is_understood(row: Row) -> None:
    label, _, value = row["here"].partition(",")[0].strip("`").partition("=")
    needed = {"strip_prefix": {"dockerproxy.path": "/api"}}.get(label.rpartition(".")[2], {})

    reading = LabelReader("dockerproxy", "localhost").read({label: value, **needed}, "blog-1", "blog")

    assert [reason.code for reason in reading.reasons] == (["forbidden"] if value == "false" else [])


def test_labels_for_traefik_are_told_in_the_words_of_the_page() -> None:
    rows = [row for row in MOVING_ROWS if row["for"] in ("domain", "port")]
    theirs = dict(row["Traefik"].removeprefix("``").removesuffix("``").split("=", 1) for row in rows)
    ours = [row["here"].partition("=")[2] for row in rows]

    assert [*traefik_hosts(theirs), traefik_port(theirs)] == ours


def test_every_setting_is_on_the_page() -> None:
    named = {row["setting"].partition(".")[0] for row in SETTING_ROWS}

    assert named | {"routes", "constraints", "define_middlewares"} == set(Settings.model_fields)


@pytest.mark.parametrize("row", SETTING_ROWS, ids=lambda row: row["setting"])
def test_the_example_of_a_setting_counts_in_the_file_and_in_the_environment(
    row: Row, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    group, dot, name = row["setting"].partition(".")
    file, example = tmp_path / "example.yaml", row["example"]
    if group == "admin_token_file":  # it is read with the settings
        example = str(tmp_path / "token")
        Path(example).write_text("a-long-random-word\n")
    file.write_text(f"{group}: {{{name}: {example}}}" if dot else f"{group}: {example}")

    default = value_at(load(), row["setting"])
    from_file = value_at(load(str(file)), row["setting"])
    monkeypatch.setenv(row["environment"], example)
    from_environment = value_at(load(), row["setting"])

    assert from_file == from_environment != default


@pytest.mark.parametrize("row", SETTING_ROWS, ids=lambda row: row["setting"])
def test_the_default_of_a_setting_is_what_the_page_says(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    default = value_at(load(), row["setting"])
    if row["default"] == "none":
        assert default in (None, (), frozenset())
    elif " " not in row["default"]:
        monkeypatch.setenv(row["environment"], row["default"])
        assert value_at(load(), row["setting"]) == default


def test_every_key_of_a_static_route_is_on_the_page() -> None:
    for start, (model, _) in KEY_TABLES.items():
        named = {row["key"] for found, row in KEY_ROWS if found == start}
        assert named == model.model_fields.keys() - (OPTION_NAMES if model is RouteSettings else ())


@pytest.mark.parametrize(
    ("start", "row"), KEY_ROWS, ids=lambda value: value if isinstance(value, str) else value["key"]
)
def test_the_example_of_a_key_is_understood(start: str, row: Row) -> None:
    model, needed = KEY_TABLES[start]
    example = yaml.safe_load(row["example"])

    read = model.model_validate({**needed, **NEEDED_KEYS.get(row["key"], {}), **example})

    assert list(example) == [row["key"]]
    assert row["key"] in read.model_fields_set


def test_every_name_of_the_go_project_is_on_the_page() -> None:
    assert {row["in the Go project"] for row in GO_ROWS} == {
        name for model in GO_MODELS.values() for name in model.go_names
    }


@pytest.mark.parametrize("row", GO_ROWS, ids=lambda row: f"{row['where']}: {row['in the Go project']}")
def test_a_name_of_the_go_project_means_the_same_as_ours(row: Row) -> None:
    theirs, ours = row["in the Go project"], row["here"]
    examples = {row["key"]: yaml.safe_load(row["example"])[row["key"]] for _, row in KEY_ROWS}
    examples |= {row["setting"]: row["example"] for row in SETTING_ROWS}
    value = yaml.safe_load(GO_VALUES[theirs]) if theirs in GO_VALUES else examples[ours]
    model = GO_MODELS[row["where"]]
    needed = {DomainSettings: {"domain": "localhost"}, RouteSettings: {"name": "any"}}.get(model, {})

    assert model(**needed, **{theirs: value}) == model(**needed, **{ours: value})


@pytest.fixture(scope="module")
def table() -> RouteTable:
    """The routes of the example in matching.md."""
    defaults = Settings().route_defaults
    return RouteTable([route_of(example_route(row), defaults, Source.STATIC) for row in ROUTE_ROWS])


def example_route(row: Row) -> RouteSettings:
    path = yaml.safe_load(row["path"])
    path = {"prefix": path} if isinstance(path, str) else path or {}
    return RouteSettings.model_validate(
        {"name": row["route"], "host": row["host"] or None, "path": {**path, "method": row["method"]}}
    )


@pytest.mark.parametrize("row", REQUEST_ROWS, ids=lambda row: row["request"])
def test_a_request_is_answered_by_the_route_that_the_page_names(row: Row, table: RouteTable) -> None:
    method, host, path = row["request"].split(" ")

    found = table.match(host, method, path)

    if isinstance(found, Miss):
        assert row["answered by"] == ("405" if found.reason is MissReason.METHOD else "404")
    else:
        assert row["answered by"] == found.name


def test_every_answer_of_the_proxys_own_is_on_the_page() -> None:
    rows = rows_with(DOCS / "matching.md", "status", "code")

    assert {(row["code"], int(row["status"])) for row in rows} == {
        (code, answer.status) for code, answer in ANSWERS.items()
    }


@pytest.mark.parametrize("page", LINKED_PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text())
    places = [(page.parent / file if file else page, anchor) for file, anchor in links]

    assert [str(place) for place, _ in places if not place.exists()] == []
    assert [f"{place.name}#{anchor}" for place, anchor in places if anchor and anchor not in anchors(place)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_settings_in_a_page_are_valid(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "from-the-page.yaml"
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL):
        if yaml.safe_load(block).keys() <= Settings.model_fields.keys():
            file.write_text(block)
            load(str(file))


async def test_the_python_in_the_readme_serves_what_it_says(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "site"}
    exec(program, names)
    settings = names["proxy"].settings(listen="127.0.0.1:0", docker={"enabled": False}, state_dir=tmp_path)

    async with names["proxy"].server(settings) as server, aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{server.addresses[0].port}/you"
        async with client.get(url, headers={"Host": "hello.localhost"}) as response:
            assert await response.text() == "Hello you, you come from 127.0.0.1.\n"
    assert server.registry.route("blog").options.bench == 30


def test_every_shipped_middleware_is_on_the_page() -> None:
    assert {SHIPPED[name] for name in MIDDLEWARE_EXAMPLES} == set(SHIPPED.values())


@pytest.mark.parametrize("name", MIDDLEWARE_EXAMPLES)
def test_every_option_of_a_shipped_middleware_is_on_its_page_with_an_example(name: str) -> None:
    page = (DOCS / "middlewares.md").read_text().partition(f"### {name}\n")[2].partition("\n### ")[0]
    model = options_of(name)
    needed: dict[str, Any] = {
        "basic_auth": {"users": {"ann": "{SHA}AA=="}},
        "redirect": {"to": "/"},
        "rate_limit": {"rate": "1/s"},
    }
    others = {**needed.get(name, {}), **({"url": "http://auth"} if name == "forward_auth" else {})}

    assert MIDDLEWARE_EXAMPLES[name].keys() == model.model_fields.keys()
    for option, written in MIDDLEWARE_EXAMPLES[name].items():
        assert f"| `{option}` | `{written}` |" in page
        example = yaml.safe_load(written)
        assert list(example) == [option]
        if option not in ("file", "pages"):  # files of the reader's machine
            together = {"match": "https?://www\\.([^/]+)/(.*)"} if option == "to" else {}
            model.model_validate({**others, **together, **example})


async def test_the_middleware_in_its_page_does_what_it_says(tmp_path: Path) -> None:
    program = re.findall(r"```python\n(.*?)```", (DOCS / "middlewares.md").read_text(), re.DOTALL)[0]
    names: dict[str, Any] = {"__name__": "site"}
    exec(program, names)
    settings = names["proxy"].settings(
        listen="127.0.0.1:0", docker={"enabled": False}, state_dir=tmp_path, max_attempts=1
    )

    async with names["proxy"].server(settings) as server, aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{server.addresses[0].port}/"
        async with client.get(url, headers={"Host": "blog.localhost"}) as response:
            assert response.headers["Server-Timing"].startswith("app;dur=")


async def test_the_statistics_in_the_readme_have_the_keys_of_the_real_ones(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```\n(\{\"proxy\".*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    engine = {"host": f"unix://{tmp_path}/engine.sock"}
    settings = Settings(listen="127.0.0.1:0", docker=engine, state_dir=tmp_path)

    async with EmbeddedEngine(tmp_path / "engine.sock", demo_site()), Server(settings) as server:
        report = await statistics_with(server, "blog")

    assert set(re.findall(r"\"(\w+)\":", shown)) <= keys_in(report)


async def statistics_with(server: Server, route: str) -> Any:
    """What /statistics says, once it names a route."""
    url = f"http://127.0.0.1:{server.addresses[0].port}/statistics"
    async with aiohttp.ClientSession(headers={"Host": "root.localhost"}) as client, asyncio.timeout(DEADLINE):
        while True:
            async with client.get(url) as response:
                report = await response.json()
            if route in [each["name"] for each in report["routes"]]:
                return report
            await asyncio.sleep(0.01)


def keys_in(value: Any) -> set[str]:
    """All keys of all objects in JSON."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set(value if isinstance(value, dict) else ()).union(*map(keys_in, inner))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_labels_in_a_page_are_understood(page: Path) -> None:
    text = page.read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    services = [service for block in blocks for service in block.get("services", {}).values()]
    for labels in [each["labels"] for each in [*blocks, *services] if "labels" in each]:
        assert LabelReader("dockerproxy", "localhost").read(labels, "web-1", "web").reasons == ()
