"""What the README and the pages in docs/ show in Python: it is typed for everybody, and it runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "docs" / "python.md", ROOT / "docs" / "middlewares.md"]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# (\w+\.py)\n")


def modules(page: Path) -> dict[str, str]:
    """The whole modules among a page's blocks, by file name: the first line says it, or it is made up. What imports
    nothing is a part of something else."""
    blocks = [block for block in _BLOCK.findall(page.read_text()) if re.search(r"^(import|from) ", block, re.MULTILINE)]
    named = {}
    for index, block in enumerate(blocks):
        name = _NAME.match(block)
        named[name[1] if name else f"{page.stem.lower()}_{index}.py"] = block
    return named


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody's own project, which uses the package and has no settings for mypy."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n[mypy-dockerproxy.*]\nfollow_imports = silent\n")
    (folder / "dockerproxy").symlink_to(ROOT / "dockerproxy")
    return folder


def mypy(folder: Path, *files: str) -> str:
    return run(sys.executable, "-m", "mypy", "--cache-dir", str(folder.parent / "cache"), *files, folder=folder).stdout


def test_what_the_pages_show_is_typed_for_a_user_without_plugins(folder: Path) -> None:
    files = {name: text for page in PAGES for name, text in modules(page).items()}
    assert len(files) >= 5
    for name, text in files.items():
        (folder / name).write_text(text)

    assert mypy(folder, *files) == f"Success: no issues found in {len(files)} source files\n"


def test_every_form_of_a_value_that_is_accepted_is_typed(folder: Path) -> None:
    """And what is typed is accepted: the same lines run."""
    (folder / "forms.py").write_text(
        "from pathlib import Path\n"
        "from aiohttp import web\n"
        "from dockerproxy import Domain, PathRule, Proxy, Route, RouteOptions, Settings, Upstream\n"
        "async def hello(request: web.Request) -> web.Response:\n"
        "    return web.Response()\n"
        "class Page(web.View):\n"
        "    async def get(self) -> web.Response:\n"
        "        return web.Response()\n"
        "def make() -> web.Application:\n"
        "    return web.Application()\n"
        "RouteOptions(max_attempts=3, hold=0)\n"
        'RouteOptions(hold=0.5, bench="1m30s", max_body="10m", error_statuses=[502, 503], middlewares=["compress"])\n'
        'RouteOptions(max_body=1000, error_statuses="502,503", tunnel_timeout=None, tls_ca=Path("/ca.pem"))\n'
        'Route("a", handler=hello, options={"hold": "2s", "strip_prefix": False})\n'
        'Route("b", ["b.localhost", Domain("c")], "/b", ["GET"], handler=Page)\n'
        'Route("c", handler=make, access="open", not_found_handler=hello, error_handler="home:page")\n'
        'Route("d", path=PathRule.exact("/d"), methods="get,post", upstreams=["http://x:1", Upstream("y", "http://y:1")])\n'
        'Route("e", handler=web.Application())\n'
        'Proxy([":8888", "127.0.0.1:9999"], [Route("f")], middlewares="compress", docker={"enabled": False}, grace=1)\n'
        'Proxy(8888, middlewares={"own": hello}, trusted_proxies="10.0.0.0/8", state_dir="/tmp", error_handler=hello)\n'
        'Settings(listen=":8888", routes=[{"name": "g", "upstreams": ["http://x:1"]}], access_log="json")\n'
    )

    assert mypy(folder, "forms.py") == "Success: no issues found in 1 source file\n"
    done = run(sys.executable, "forms.py", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")


# A line, and what is told of it.
WRONG = {
    "RouteOptions(benh=3)": 'Unexpected keyword argument "benh"',
    "RouteOptions(hold=[])": 'Argument "hold"',
    "Proxy(grace=())": 'Argument "grace"',
    "Proxy(gracee=3)": 'Unexpected keyword argument "gracee"',
    'Route("a", handler=7)': 'Argument "handler"',
    'Route("a", access="all")': 'Argument "access"',
    'Route("a", options={"benh": 3})': 'Argument "options"',
}


def test_what_is_refused_is_no_type_that_is_accepted(folder: Path) -> None:
    first = "from dockerproxy import Proxy, Route, RouteOptions"
    (folder / "wrong.py").write_text("\n".join([first, *WRONG, ""]))

    told = [line for line in mypy(folder, "wrong.py").splitlines() if ": error: " in line]

    for number, (line, words) in enumerate(WRONG.items(), 2):
        assert any(text.startswith(f"wrong.py:{number}: error: {words}") for text in told), (line, told)


def test_the_tests_that_the_page_shows_pass(folder: Path) -> None:
    for name, text in modules(ROOT / "docs" / "python.md").items():
        (folder / name).write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")

    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_home.py", folder=folder)

    assert "2 passed" in done.stdout, done.stdout + done.stderr
