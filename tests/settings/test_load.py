"""Reading: arguments over environment over file over defaults; and all problems at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerproxy.errors import SettingsError
from dockerproxy.settings import load

from .conftest import Problems, Read


def test_without_anything_the_defaults_hold() -> None:
    settings = load()
    assert [str(address) for address in settings.listen] == [":8888"]
    assert settings.routes == ()


def test_arguments_beat_the_environment_which_beats_the_file_which_beats_the_defaults(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKERPROXY_BENCH", "20s")
    monkeypatch.setenv("DOCKERPROXY_HOLD", "2s")
    settings = read("bench: 30s\nhold: 3s\nlinger: 3s\n", bench="10s")
    assert (settings.bench, settings.hold, settings.linger, settings.max_attempts) == (10.0, 2.0, 3.0, 20)


def test_an_argument_that_was_not_given_counts_for_nothing(read: Read) -> None:
    assert read("bench: 30s\n", bench=None).bench == 30.0


def test_two_underscores_nest_and_the_file_s_other_keys_stay(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERPROXY_DOCKER__HOST", "tcp://127.0.0.1:2375")
    docker = read("docker: {host: 'unix:///x', network: front}\n").docker
    assert (docker.host, docker.network) == ("tcp://127.0.0.1:2375", "front")


@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        ("DOCKERPROXY_LISTEN", ":1,:2", "listen", [":1", ":2"]),
        ("DOCKERPROXY_ERROR_STATUSES", "502,503", "error_statuses", [502, 503]),
        ("DOCKERPROXY_TRUSTED_PROXIES", "10.0.0.0/8", "trusted_proxies", ["10.0.0.0/8"]),
        ("DOCKERPROXY_RETRY_NON_IDEMPOTENT", "1", "retry_non_idempotent", True),
        ("DOCKERPROXY_MAX_BODY", "1m", "max_body", 1 << 20),
    ],
)
def test_variables(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, name: str, expected: object) -> None:
    monkeypatch.setenv(variable, value)
    assert load().model_dump(mode="json")[name] == expected


def test_an_unknown_variable_is_an_error_with_what_was_probably_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERPROXY_LISTENN", ":1")
    monkeypatch.setenv("DOCKERPROXY_BENHC", "1s")
    with pytest.raises(SettingsError) as caught:
        load()
    assert [str(problem) for problem in caught.value.problems] == [
        "DOCKERPROXY_BENHC: unknown variable; did you mean 'DOCKERPROXY_BENCH'?",
        "DOCKERPROXY_LISTENN: unknown variable; did you mean 'DOCKERPROXY_LISTEN'?",
    ]


def test_a_wrong_variable_is_named_and_not_the_file_that_is_innocent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKERPROXY_BENCH", "never")
    monkeypatch.setenv("DOCKERPROXY_DOCKER__RESYNC", "0")
    (tmp_path / "dockerproxy.yaml").write_text("hold: 1s\n")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "DOCKERPROXY_BENCH" in str(caught.value)
    assert "DOCKERPROXY_DOCKER__RESYNC" in str(caught.value)


@pytest.mark.parametrize("variable", ["ADMIN_TOKEN", "LISTEN", "BENCH", "DOCKER__HOST", "ADMIN_ACCESS"])
def test_an_empty_variable_is_told_to_be_one_and_to_be_removed(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(f"DOCKERPROXY_{variable}", "")
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value) == f"DOCKERPROXY_{variable}: is empty; give it a value, or remove it"


def test_values_that_are_too_short_are_told_in_our_own_words(problems: Problems) -> None:
    assert problems("admin_token: short\nlisten: []\n") == [
        "listen: expected a list with 1 or more (found [])",
        "admin_token: expected at least 8 characters",
    ]


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERPROX_LISTEN", "x")
    for name in ("DOCKERPROXY_REQUIRE_ENGINE", "DOCKERPROXY_IMAGE", "DOCKERPROXY_PUBLISH"):
        monkeypatch.setenv(name, "1")
    load()
    monkeypatch.setenv("DOCKERPROXY_PUBLISHED_HOST", "127.0.0.1")
    with pytest.raises(SettingsError, match=r"unknown variable; did you mean 'DOCKERPROXY_DOCKER__PUBLISHED_HOST'"):
        load()


def test_the_file_is_the_one_named_by_argument_else_by_variable_else_beside_us(
    read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "argument.yaml").write_text("bench: 1s")
    (tmp_path / "variable.yaml").write_text("bench: 2s")
    assert read("bench: 3s").bench == 3.0
    monkeypatch.setenv("DOCKERPROXY_CONFIG", str(tmp_path / "variable.yaml"))
    assert load().bench == 2.0
    assert load(str(tmp_path / "argument.yaml")).bench == 1.0


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_file_that_was_named_and_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch, by_variable: bool) -> None:
    if by_variable:
        monkeypatch.setenv("DOCKERPROXY_CONFIG", "missing.yaml")
    with pytest.raises(SettingsError, match=r"missing\.yaml: no such file; give the path of a settings file"):
        load(None if by_variable else "missing.yaml")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is a folder, such as Docker makes where the file to mount is missing"):
        load(str(tmp_path))


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_an_empty_file_says_nothing(read: Read, text: str) -> None:
    assert read(text).bench == 90.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('listen: [":1"\nbench: 1s\n', "line 2, column 1: not valid YAML"),
        ("a:\n\tb: 1\n", "line 2, column 1: not valid YAML"),
        ("a: b: c\n", "line 1, column 5: not valid YAML"),
        ("- listen\n", 'expected keys and values such as `listen: [":8888"]`, found a list'),
        ("just words\n", 'expected keys and values such as `listen: [":8888"]`, found a str'),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1, column 4: not valid YAML"),
        ("listen: &a [*a]\n", "an alias (*name) stands within what it stands for (&name)"),
        ("a: &a {b: [{c: *a}]}\n", "an alias (*name) stands within what it stands for (&name)"),
        ("routes: &a !!pairs [x: *a]\n", "an alias (*name) stands within what it stands for (&name)"),
        pytest.param(f"bench: {'1' * 5001}\n", "a value cannot be read: Exceeds the limit", id="endless number"),
        ("bench: 2026-13-45\n", "a value cannot be read: month must be in 1..12"),
        pytest.param(f"a: {'[' * 500}{']' * 500}\n", "lists and keys stand in each other too deeply", id="too deep"),
    ],
)
def test_what_is_not_yaml_is_told_with_its_line(problems: Problems, text: str, words: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(words)


def test_what_is_not_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"binary\.yaml: cannot be read"):
        load(str(tmp_path / "binary.yaml"))


def test_a_key_that_is_given_twice_is_an_error_and_not_the_loss_of_the_first(problems: Problems) -> None:
    (problem,) = problems("bench: 1s\nhold: 1s\nbench: 2s\n")
    assert "bench" in problem
    assert "line 3" in problem


def test_two_routes_of_one_name_are_told_with_both_places(problems: Problems) -> None:
    text = "routes:\n  - {name: blog, host: a.test}\n  - {name: shop, host: b.test}\n  - {name: blog, host: c.test}\n"
    assert problems(text) == [
        "routes[2].name: 'blog' is already the name of routes[0]; give each route a name of its own"
    ]


def test_all_problems_are_told_at_once(problems: Problems) -> None:
    text = """
lissten: [":1"]
bench: never
docker: {hots: x}
routes:
  - {name: a, host: "http://x"}
  - {name: a, path: {regex: "("}}
  - {host: x}
"""
    found = problems(text)
    places = [problem.partition(":")[0] for problem in found]
    assert sorted(places) == [
        "bench", "docker.hots", "lissten", "routes[0].host", "routes[1].name", "routes[1].path.regex", "routes[2].name",
    ]  # fmt: skip


def test_the_message_names_the_file_on_every_line(read: Read) -> None:
    with pytest.raises(SettingsError) as caught:
        read("bench: never\nhold: never\n")
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == ["dockerproxy.yaml"] * 2


def test_a_value_that_is_wrong_at_length_is_shown_in_part(problems: Problems) -> None:
    (problem,) = problems("bench: " + "x" * 1000)
    assert len(problem) < 250
    assert "…" in problem


def test_parts_of_a_file_may_be_written_once_and_used_again(read: Read) -> None:
    text = """
routes:
  - &first {name: a, host: a.test, bench: 5s}
  - {<<: *first, name: b, host: b.test}
"""
    assert [(route.name, route.bench) for route in read(text).routes] == [("a", 5.0), ("b", 5.0)]


def test_a_wrong_value_of_the_file_is_blamed_on_the_file_whatever_else_the_environment_says(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKERPROXY_HOLD", "1s")
    monkeypatch.setenv("DOCKERPROXY_DOCKER__NETWORK", "front")
    with pytest.raises(SettingsError) as caught:
        read("bench: never\ndocker: {resync: 0}\n")
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["dockerproxy.yaml", "bench"],
        ["dockerproxy.yaml", "docker.resync"],
    ]


@pytest.mark.parametrize("text", ["routes:\n", "docker:\n", "listen:\n"])
def test_a_key_without_a_value_is_told_with_its_name(problems: Problems, text: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(text.removesuffix("\n"))


def test_a_nested_variable_with_one_underscore_too_few_is_told_its_right_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKERPROXY_DOCKER_HOST", "unix:///run/docker.sock")
    with pytest.raises(SettingsError, match="did you mean 'DOCKERPROXY_DOCKER__HOST'"):
        load()


def test_a_duration_out_of_bounds_is_told_as_it_was_written(problems: Problems) -> None:
    assert problems("docker: {resync: 0s}\n") == ["docker.resync: expected more than 0s (found '0s')"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("listen: [':9395', ':9395']", "listen: :9395 is there twice; write each address once"),
        (
            "docker: {host: 'http://x'}",
            "docker.host: 'http://x' names no port, or none from 1 to 65535; write for example",
        ),
        (
            "docker: {label_prefix: }",
            "docker.label_prefix: expected letters, digits, dots and hyphens, such as dockerp",
        ),
        (
            "docker: {label_prefix: 'a b'}",
            "docker.label_prefix: expected letters, digits, dots and hyphens, such as dock",
        ),
        (
            "routes: [{name: a, host: a, method: GET}]",
            "routes[0].method: unknown key; methods belong to the path: write pa",
        ),
        (
            "routes: [{name: a, host: a, port: 80}]",
            "routes[0].port: unknown key; a port belongs to the URL of an upstream",
        ),
        (
            "routes: [{name: a, host: a, maxLoopTryy: 3}]",
            "routes[0].maxLoopTryy: unknown key; did you mean 'maxLoopTry'?",
        ),
        (
            "routes: [{name: a, host: a, path: {methodd: GET}}]",
            "routes[0].path.methodd: unknown key; did you mean 'method'?",
        ),
        (
            "routes: [{name: a, host: a, upstreams: ['http://localhost:99999']}]",
            "routes[0].upstreams[0].url: 'http://localhost:99999' is not an upstream: its port is none from 1 to 65535",
        ),
    ],
)
def test_what_is_easily_written_wrong_is_told_with_what_is_right(problems: Problems, text: str, problem: str) -> None:
    assert problems(text)[0].startswith(problem)


def test_any_free_port_may_be_asked_for_twice(read: Read) -> None:
    assert len(read("listen: ['127.0.0.1:0', '127.0.0.1:0']").listen) == 2


def test_a_file_with_many_aliases_is_read_as_fast_as_any(problems: Problems) -> None:
    """Seen as a tree, it has more values than can be counted."""
    levels = ["a: &l0 [x]"] + [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 7)]
    assert problems("\n".join(levels) + "\n")[0].startswith("a: unknown key")
