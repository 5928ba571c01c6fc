"""The layers: imports run one way, downwards, and what belongs in one place stays there. Read from the source."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from docs.imports import imports, module_name, modules, nodes, part_of, source, tree, when_loaded

# From the top to the bottom; a part may import itself and parts of the rows below its own, none of its own row.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("commands",),
    ("",),  # the package itself: the public names
    ("check", "demo_proxy", "explain", "health", "program"),
    ("run",),
    ("server",),
    ("web",),
    ("access_log", "control"),
    ("proxy", "discovery"),
    ("labels",),
    ("routing", "http1", "stats", "tasks", "tls"),
    ("settings",),
    ("process",),
    ("did_you_mean", "errors", "version"),
)
# Parts that stand beside the layers: what each may import, and who may import it.
BESIDE = {"demo": ({"errors", "tasks"}, {"cli", "demo_proxy"})}
STRANGERS = (("proxy", "discovery"), ("discovery", "proxy"))

# The rooms of a part that has folders, from the top to the bottom: a room is a folder, or a module that stands beside
# the folders. One may import rooms of the rows below its own, none of its own row.
ROOMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "commands": (
        ("__init__",),
        ("change", "dynamic", "explaining", "log", "login", "look", "password", "waiting"),
        ("completion",),
        ("access",),
        ("terminal",),
        ("asking", "command_line", "interrupt"),
    ),
    "control": (
        ("__init__",),
        ("registry",),
        ("docker_routes", "explain", "publication"),
        ("admission", "change_log"),
        ("changes", "merge", "store"),
        ("base",),
        ("document", "overrides", "places"),
    ),
    "demo": (
        ("__init__", "client"),
        ("page", "site"),
        ("engine",),
        ("containers",),
        ("paths", "refusals", "spec"),
    ),
    "discovery": (
        ("__init__",),
        ("following", "once"),
        ("status",),
        ("containers",),
        ("engine", "snapshot"),
        ("sockets", "timing"),
    ),
    "web": (
        ("__init__",),
        ("explain", "handlers", "live", "login", "logs", "metrics", "operate"),
        ("dashboard", "middlewares", "statistics"),
        ("admin",),
        ("access",),
        ("context",),
        ("credentials", "loading", "relayed", "reports"),
    ),
    "proxy": (
        ("__init__",),
        ("plane",),
        ("downstream",),
        ("exchange",),
        ("upstream",),
        ("tunnel",),
        (
            "answers",
            "deadlines",
            "flow",
            "forwarding",
            "https",
            "keepalive",
            "log_limit",
            "prefix",
            "record",
            "request_id",
            "target",
        ),
    ),
}

LONGEST_FILE = 400  # lines
LONGEST_FUNCTION = 60  # lines
MOST_IN_A_FOLDER = 16  # modules directly in it

# What may be imported, and where; a module or a folder of modules. Everywhere else it is a mistake.
ONLY_IN = {
    "docker": {"discovery", "demo/client"},
    "requests": {"discovery", "demo/client"},
    "pydantic": {"settings", "labels/table", "web", "control"},
    "yaml": {"settings"},
    "aiohttp": {"web", "demo"},
    "cryptography": {"tls/certificate"},
    "argparse": {"cli", "commands", "demo/page"},
    "regex": {"routing/catch_all", "routing/expression", "settings/routes"},
    "rich": {"commands"},
    "shtab": {"commands"},
}
# What has no place in the pure parts.
PURE = ("routing", "http1")
IMPURE = {"asyncio", "socket", "selectors", "threading", "time", "os", "select", "ssl", "aiohttp", "docker"}


def rank(part: str) -> int:
    return next(index for index, row in enumerate(LAYERS) if part in row)


def edges() -> Iterator[tuple[str, str, str]]:
    """(module, its part, the part that it imports), for every import within the package."""
    for module in modules():
        own = part_of(module_name(module))
        assert own is not None
        for name in imports(module):
            other = part_of(name)
            if other is not None and other != own:
                yield module, own, other


def test_every_module_has_its_place_in_the_layers() -> None:
    placed = {part for row in LAYERS for part in row} | BESIDE.keys()
    found = {part_of(module_name(module)) for module in modules()}
    assert found == placed


def test_imports_run_downwards() -> None:
    wrong = [
        f"{module} imports {other or 'dockerproxy'}"
        for module, own, other in edges()
        if own not in BESIDE and other not in BESIDE and rank(other) <= rank(own)
    ]
    assert wrong == []


def test_proxy_and_discovery_do_not_know_each_other() -> None:
    assert [edge for edge in edges() if edge[1:] in STRANGERS] == []


def test_what_stands_beside_the_layers_is_imported_by_the_few_that_may_and_imports_little() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, own, other in edges()
        if (own in BESIDE and other not in BESIDE[own][0]) or (other in BESIDE and own not in BESIDE[other][1])
    ]
    assert wrong == []


def circles(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules that stand in a circle, or between two of them."""
    left = {name: others & graph.keys() - {name} for name, others in graph.items()}
    while True:
        imported = set[str]().union(*left.values())
        ends = {name for name, others in left.items() if not others or name not in imported}
        if not ends:
            return sorted(left)
        left = {name: others - ends for name, others in left.items() if name not in ends}


def test_there_are_no_circles_among_modules_when_they_are_loaded() -> None:
    assert circles({module_name(module): set(when_loaded(module)) for module in modules()}) == []


def test_there_are_no_circles_when_imports_for_type_checking_count() -> None:
    """A circle in types is a circle in the mind."""
    assert circles({module_name(module): set(imports(module)) for module in modules()}) == []


def test_a_circle_is_found_wherever_it_stands() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c"]
    assert circles({"a": {"b", "a"}, "b": {"c"}, "c": set()}) == []


def test_a_folder_is_read_in_one_look() -> None:
    folders = Counter(Path(module).parent.as_posix() for module in modules() if not module.endswith("__init__"))
    assert {folder: count for folder, count in folders.items() if count > MOST_IN_A_FOLDER} == {}


def rooms() -> Iterator[tuple[str, str, str]]:
    """(part, module, its room), for every module below a part; the part's own `__init__` is a room of this name."""
    for module in modules():
        part, _, rest = module.partition("/")
        if rest:
            yield part, module, rest.partition("/")[0]


def room_of(part: str, name: str) -> str | None:
    """The room of `part` in which a dotted name is, or None for one elsewhere."""
    own = f"dockerproxy.{part}"
    if name == own:
        return "__init__"
    return name.removeprefix(f"{own}.").partition(".")[0] if name.startswith(f"{own}.") else None


@pytest.mark.parametrize("part", sorted(ROOMS))
def test_every_room_of_a_part_has_its_place(part: str) -> None:
    placed = [room for row in ROOMS[part] for room in row]
    assert sorted(placed) == sorted({room for own, _, room in rooms() if own == part})


@pytest.mark.parametrize("part", sorted(ROOMS))
def test_imports_run_downwards_among_the_rooms_of_a_part(part: str) -> None:
    order = {room: place for place, row in enumerate(ROOMS[part]) for room in row}
    wrong = [
        f"{module} imports {name}"
        for own, module, room in rooms()
        if own == part
        for name in imports(module)
        if (other := room_of(part, name)) is not None and other != room and order[other] <= order[room]
    ]
    assert wrong == []


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_other_packages_are_imported_only_where_they_belong(package: str) -> None:
    wrong = [
        module
        for module in modules()
        if any(name.split(".")[0] == package for name in imports(module))
        and not any(module == place or module.startswith(f"{place}/") for place in ONLY_IN[package])
    ]
    assert wrong == []


@pytest.mark.parametrize("part", PURE)
def test_the_pure_parts_do_no_io_and_have_no_clock(part: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module in modules()
        if module.startswith(f"{part}/")
        for name in imports(module)
        if name.split(".")[0] in IMPURE
    ]
    assert wrong == []


@pytest.mark.parametrize("part", PURE)
def test_the_pure_parts_wait_for_nothing(part: str) -> None:
    wrong = [
        f"{module}: line {node.lineno}"
        for module in modules()
        if module.startswith(f"{part}/")
        for node in nodes(module)
        if isinstance(node, (ast.AsyncFunctionDef, ast.Await))
    ]
    assert wrong == []


def uses(attribute: str) -> list[str]:
    """The modules in which an attribute or a name like this is used, once for each use."""
    return [
        module
        for module in modules()
        for node in nodes(module)
        if (isinstance(node, ast.Attribute) and node.attr == attribute)
        or (isinstance(node, ast.Name) and node.id == attribute)
    ]


def test_tasks_are_made_in_one_place() -> None:
    assert uses("create_task") == ["tasks"]
    assert uses("ensure_future") == []
    assert uses("TaskGroup") == []


def test_one_door_leads_from_other_threads_into_the_loop() -> None:
    assert len(uses("call_soon_threadsafe")) == 1
    assert uses("run_coroutine_threadsafe") == []


def test_the_environment_is_read_by_the_settings_and_by_few_others() -> None:
    """The demo asks where its socket may be, a health check where the state folder is, for which it need not load
    settings; where a user's Podman listens is no setting of ours; and what the C library was told is for `memory` to
    respect."""
    readers = {module for name in ("environ", "getenv", "environb") for module in uses(name)}
    assert {module for module in readers if not module.startswith("settings/")} <= {
        "demo/paths",
        "discovery/sockets",
        "health",
        "process/memory",
    }


@pytest.mark.parametrize("module", modules())
def test_a_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(tree(module)), f"{module} has no docstring"


@pytest.mark.parametrize("module", modules())
def test_a_module_is_short_enough_to_be_read(module: str) -> None:
    assert len(source(module).splitlines()) <= LONGEST_FILE


def functions(module: str) -> Iterator[tuple[str, int]]:
    """Names and lengths in lines."""
    for node in nodes(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{module}: {name}" for module in modules() for name, length in functions(module) if length > LONGEST_FUNCTION
    ]
    assert long == []


def test_most_functions_are_ten_lines_or_shorter() -> None:
    lengths = sorted(length for module in modules() for _, length in functions(module))
    assert lengths[len(lengths) // 2] <= 10


@pytest.mark.parametrize("module", modules())
def test_a_module_keeps_no_state_of_its_own(module: str) -> None:
    """No name of a module is bound anew from within a function."""
    rebound = [node.lineno for node in nodes(module) if isinstance(node, ast.Global)]
    assert rebound == []
