"""What a name of a middleware stands for, and what is said when it stands for nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dockerproxy.check import check
from dockerproxy.errors import SettingsError
from dockerproxy.settings import validate
from dockerproxy.web.middlewares import registry
from dockerproxy.web.middlewares.registry import SHIPPED, WITHOUT_OPTIONS, Middlewares

from ...support.scene import Scene

MODULE = "site_middlewares"


async def plain(request: Any, call_next: Any) -> Any:
    response = await call_next(request)
    response.headers["X-By"] = "plain"
    return response


class Greeting:
    """Made with options, called as a middleware."""

    def __init__(self, text: str, times: int = 1) -> None:
        if times < 1:
            raise ValueError("times is less than 1")
        self.text = text * times
        self.closed = False

    async def __call__(self, request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["X-By"] = self.text
        return response

    async def close(self) -> None:
        self.closed = True


def factory(text: str = "made") -> Any:
    return Greeting(text)


@pytest.fixture(autouse=True)
def module() -> Iterator[ModuleType]:
    """A module of somebody's own."""
    found = ModuleType(MODULE)
    for name, value in {"plain": plain, "Greeting": Greeting, "factory": factory, "number": 7}.items():
        setattr(found, name, value)
    found.not_async = not_async  # type: ignore[attr-defined]
    found.wrong = lambda: 7  # type: ignore[attr-defined]
    sys.modules[MODULE] = found
    yield found
    del sys.modules[MODULE]


def not_async(_request: Any, _call_next: Any) -> None:
    """Returns nothing that could be waited for."""


def installed(points: list[EntryPoint]) -> Callable[..., list[EntryPoint]]:
    """What the entry points of all packages are."""
    return lambda **_which: points


def define(**definitions: dict[str, Any]) -> dict[str, Any]:
    return {"define_middlewares": definitions, "middlewares": list(definitions)}


@pytest.mark.parametrize(("definition", "by"), [
    ({"use": f"{MODULE}:plain"}, "plain"),
    ({"use": f"{MODULE}:factory"}, "made"),
    ({"use": f"{MODULE}:factory", "text": "hi"}, "hi"),
    ({"use": f"{MODULE}:Greeting", "text": "hi", "times": 2}, "hihi"),
], ids=["plain", "factory", "options", "class"])  # fmt: skip
async def test_a_definition_names_a_callable_or_what_makes_one(
    scene: Scene, definition: dict[str, Any], by: str
) -> None:
    await scene.proxy(await scene.upstream(), **define(it=definition))
    assert (await scene.get())["x-by"] == by


@pytest.mark.parametrize(("definition", "words"), [
    ({"use": "basic_uath"}, ".use: there is no middleware 'basic_uath'; did you mean 'basic_auth'?"),
    ({}, ": there is no middleware 'it'; there are basic_auth, "),
    ({"use": "nowhere:it"}, ".use: 'nowhere:it': there is no module 'nowhere'"),
    ({"use": f"{MODULE}:plian"}, f".use: '{MODULE}:plian': module {MODULE} has no 'plian'; did you"),
    ({"use": f"{MODULE}:plain", "text": "x"}, ": cannot be made: it takes no options (found text)"),
    ({"use": f"{MODULE}:factory", "txt": "x"}, ": cannot be made: "),
    ({"use": f"{MODULE}:Greeting", "text": "x", "times": 0}, ": cannot be made: times is less than 1"),
    ({"use": f"{MODULE}:wrong"}, ": 7 is no middleware; expected an `async def`"),
    ({"use": f"{MODULE}:number"}, ": cannot be made: "),
    ({"use": f"{MODULE}:not_async"}, ": cannot be made: not_async() missing 2 required positional arguments: "
     "'_request' and '_call_next'; if it is a middleware itself, and does not make one of options, write `async def`"),
    ({"use": "compress", "levle": 3}, ".levle: unknown key; did you mean 'level'?"),
    ({"use": "compress", "level": "high"}, ".level: expected a whole number"),
])  # fmt: skip
async def test_a_definition_that_cannot_be_is_told(scene: Scene, definition: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as error:
        await scene.proxy(**define(it=definition))
    assert f"define_middlewares.it{words}" in str(error.value)


async def test_all_definitions_that_cannot_be_are_told_at_once(scene: Scene) -> None:
    with pytest.raises(SettingsError) as error:
        await scene.proxy(**define(one={"use": "no:where"}, two={"use": "ip_allow"}))
    assert len(error.value.problems) == 2


async def test_a_name_that_stands_for_nothing_is_told_with_the_closest(scene: Scene) -> None:
    with pytest.raises(SettingsError, match="middlewares: there is no middleware 'compres'; did you mean 'compress'"):
        await scene.proxy(middlewares="compres")
    with pytest.raises(SettingsError, match="route 'site': middlewares: there is no middleware 'zzz'; define it under"):
        await scene.proxy(routes=[{"name": "site", "upstreams": ["http://127.0.0.1:1"], "middlewares": "zzz"}])
    with pytest.raises(SettingsError, match="there is no middleware 'rate_limit'"):  # it needs options
        await scene.proxy(middlewares="rate_limit")


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_one_is_known_by_its_name(name: str) -> None:
    house, settings = Middlewares(), validate({}, "test")
    if name in WITHOUT_OPTIONS:
        house.use(settings, [name])
        assert len(house.chain((name,))) == 1
    else:
        with pytest.raises(SettingsError, match=f"define_middlewares.{name}"):
            house.use(validate({"define_middlewares": {name: {"nonsense": 1}}}, "test"), [])


async def test_a_program_gives_middlewares_by_name(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), given={"mine": plain}, middlewares="mine")
    assert (await scene.get())["x-by"] == "plain"


async def test_a_definition_may_give_options_to_what_the_program_gives(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), given={"mine": factory}, **define(mine={"text": "hi"}))
    assert (await scene.get())["x-by"] == "hi"


async def test_an_installed_package_brings_middlewares(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("theirs", f"{MODULE}:plain", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", installed(points))
    await scene.proxy(await scene.upstream(), middlewares="theirs")
    assert (await scene.get())["x-by"] == "plain"


async def test_a_package_that_cannot_be_loaded_lets_nobody_through(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    points = [EntryPoint("theirs", "nowhere:it", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", installed(points))
    upstream = await scene.upstream()
    server = await scene.proxy()
    with pytest.raises(SettingsError):
        server._middlewares.chain(("theirs",))
    house = Middlewares()
    with pytest.raises(SettingsError, match="there is no module 'nowhere'"):
        house.use(validate({}, "test"), ["theirs"])
    monkeypatch.setattr(house, "use", lambda *_: None)
    server._middlewares.use = house.use  # type: ignore[method-assign]  # as for a container that comes later
    body = f'{{"name": "late", "host": "late.localhost", "middlewares": "theirs", "upstreams": ["{upstream.url}"]}}'
    client = await scene.client()
    await client.ask("POST", "/add", host="root.localhost", body=body.encode())
    assert (await client.answer()).status == 201
    assert (await scene.get(host="late.localhost")).status == 500
    assert (
        "late: no answer without its middlewares: define_middlewares.theirs.use: 'nowhere:it': there is no module"
        in caplog.text
    )
    assert upstream.requests == []


def test_a_reload_keeps_what_is_defined_as_before() -> None:
    house = Middlewares({"mine": factory})
    before = {"define_middlewares": {"a": {"use": "mine"}, "b": {"use": "mine", "text": "one"}}}
    house.use(validate(before, "test"), [])
    first = dict(house.chain(("a", "b")))
    after = {"define_middlewares": {"a": {"use": "mine"}, "b": {"use": "mine", "text": "two"}}}
    house.use(validate(after, "test"), [])
    second = dict(house.chain(("a", "b")))
    assert second["a"] is first["a"]
    assert second["b"] is not first["b"]
    with pytest.raises(SettingsError):
        house.use(validate({"define_middlewares": {"a": {"use": "nothing"}}}, "test"), [])
    assert dict(house.chain(("a", "b"))) == second


async def test_what_holds_something_is_closed_at_the_end() -> None:
    made: list[Greeting] = []

    def make(text: str) -> Greeting:
        made.append(Greeting(text))
        return made[-1]

    house = Middlewares({"mine": make, "plain": plain})
    for text in ("one", "two"):
        house.use(validate({"define_middlewares": {"a": {"use": "mine", "text": text}}}, "test"), ["plain"])
    await house.close()
    assert [each.closed for each in made] == [True, True]


async def test_a_dynamic_route_with_an_unknown_name_is_refused(scene: Scene) -> None:
    await scene.proxy()
    client = await scene.client()
    body = b'{"name": "late", "host": "late.localhost", "middlewares": "gzpi", "upstreams": ["http://127.0.0.1:1"]}'
    await client.ask("POST", "/add", host="root.localhost", body=body)
    answer = await client.answer()
    assert (answer.status, "did you mean 'gzip'?" in answer.text) == (422, True)


async def test_a_dynamic_route_is_left_out_once_its_middleware_is_not_defined_any_more(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    defined = {"auth": {"use": "ip_allow", "networks": "127.0.0.1"}}
    upstream = await scene.upstream()
    server = await scene.proxy(define_middlewares=defined, read_settings=lambda: scene.settings())
    client = await scene.client()
    body = f'{{"name": "late", "host": "late.localhost", "middlewares": "auth", "upstreams": ["{upstream.url}"]}}'
    await client.ask("POST", "/add", host="root.localhost", body=body.encode())
    assert (await client.answer()).status == 201
    assert (await scene.get(host="late.localhost")).status == 200
    server.reread()
    assert (await scene.get(host="late.localhost")).status == 404
    assert "late: the dynamic route is left out: there is no middleware 'auth'" in caplog.text


def test_check_tells_what_is_wrong_with_middlewares(tmp_path: Path) -> None:
    file = tmp_path / "proxy.yaml"
    file.write_text("define_middlewares: {auth: {use: basic_auth}}\nroutes: [{name: a, middlewares: atuh}]\n")
    assert any("there is no middleware 'atuh'; did you mean 'auth'?" in line for line in check(str(file)).problems)
    file.write_text("define_middlewares: {auth: {use: basic_auth}}\nroutes: [{name: a, middlewares: auth}]\n")
    assert any("define_middlewares.auth: expected either users or file" in line for line in check(str(file)).problems)
    file.write_text("routes: [{name: a, middlewares: gzip}]\n")
    assert check(str(file)).good


@pytest.mark.parametrize("target", [plain, factory(), Greeting("x")])
def test_what_is_a_middleware(target: Callable[..., Any]) -> None:
    assert registry.is_middleware(target)


@pytest.mark.parametrize("target", [None, Greeting, factory, print, not_async])
def test_what_is_none(target: Any) -> None:
    assert not registry.is_middleware(target)
