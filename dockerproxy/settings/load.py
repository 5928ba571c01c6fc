"""Reading settings: arguments, environment, file; and telling what is wrong with them, all at once.

The only reader of the environment and of the settings file in the package. A problem is told with the full
path of the key, the value, what was expected, and the key that was probably meant.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.settings.docker_environment import docker_of
from dockerproxy.settings.expectation import expectation
from dockerproxy.settings.model import ENVIRONMENT_PREFIX, DockerSettings, Settings
from dockerproxy.settings.routes import RouteSettings
from dockerproxy.settings.secret import is_secret, with_token_from_file, without_passwords, without_secrets

CONFIG_VARIABLE = "DOCKERPROXY_CONFIG"
DEFAULT_CONFIG = "dockerproxy.yaml"
# Variables with our prefix that are not settings: the settings file's name, what docker-compose.yml takes, and (by how
# they begin) switches of the test suite.
_OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "DOCKERPROXY_IMAGE", "DOCKERPROXY_PUBLISH"})
_OTHER_BEGINNINGS = ("DOCKERPROXY_REQUIRE_", "DOCKERPROXY_ENGINE_")
_A_FOLDER = "is a folder, such as Docker makes where the file to mount is missing; give the path of a file in YAML"
# Keys of a route that are labels, and stand elsewhere in a file.
_ELSEWHERE = {
    "method": "; methods belong to the path: write path: {prefix: /, method: [GET, POST]}",
    "path_regex": "; write path: {regex: '^/v[0-9]+/'}",
    "port": "; a port belongs to the URL of an upstream: write upstreams: [http://localhost:8080]",
    "weight": "; a weight belongs to an upstream: write upstreams: [{url: http://localhost:8080, weight: 3}]",
}
_VALUE_SHOWN = 80  # characters of a wrong value that a message repeats


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that is given twice is an error: the second one would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given a second time", key_node.start_mark
                )
            if isinstance(key, Hashable):
                seen.add(key)
        return super().construct_mapping(node, deep)


def load(
    config: str | None = None, overrides: Mapping[str, Any] | None = None, program: Mapping[str, Any] | None = None
) -> Settings:
    """The settings from `config` (else DOCKERPROXY_CONFIG, else ./dockerproxy.yaml), environment and arguments.

    overrides: values from the command line; a None is left out
    program:   the arguments of a `Proxy`, which the command line counts before; a None is left out
    Raises SettingsError with every problem found.
    """
    path = find_config(config)
    file_values = read_file(path) if path is not None else {}
    environment = _environment()
    in_python, on_line = _given(program), _given(overrides)
    arguments = {key: f"Proxy({key}=…)" for key in in_python} | {key: _switch(key) for key in on_line}
    values = _merged(_merged(file_values, environment), {**in_python, **on_line})
    docker = values.get("docker", {})
    if isinstance(docker, Mapping):
        values = _merged({"docker": docker_of(os.environ, docker)}, values)
    try:
        return validate(values, str(path) if path is not None else "settings")
    except SettingsError as error:
        raise SettingsError(
            error.source, [_blamed(problem, environment, arguments) for problem in error.problems]
        ) from None


def find_config(config: str | None) -> Path | None:
    """The file to read, or None. Raises SettingsError when a file that was named is not there."""
    named = config or os.environ.get(CONFIG_VARIABLE)
    path = Path(named or DEFAULT_CONFIG)
    if path.is_file():
        return path
    if path.is_dir():
        raise SettingsError(str(path), [Problem("", _A_FOLDER)])
    if named:
        raise SettingsError(named, [Problem("", "no such file; give the path of a settings file in YAML")])
    return None


def tell_source(config: str | None) -> str:
    """Which file the settings come from, or where none was found, for the log."""
    path = find_config(config)
    if path is not None:
        return f"settings are read from {path.absolute()}"
    here = f"there is no {DEFAULT_CONFIG} in {Path.cwd()}"
    return f"no settings file: {here}, and neither --config nor {CONFIG_VARIABLE} names one"


def read_file(path: Path) -> dict[str, Any]:
    """The file's keys and values, unchecked. Raises SettingsError when it is not YAML or not a mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [Problem("", f"cannot be read: {error}")]) from None
    return parse_file(text, str(path))


def parse_file(text: str, source: str) -> dict[str, Any]:
    """The keys and values of a file's text, unchecked. Raises SettingsError as `read_file` does."""
    try:
        values = yaml.load(text, _UniqueKeys)  # a SafeLoader
    except yaml.YAMLError as error:
        raise SettingsError(source, [Problem(_yaml_place(error), "not valid YAML" + _yaml_reason(error))]) from None
    except RecursionError:
        raise SettingsError(source, [Problem("", "lists and keys stand in each other too deeply")]) from None
    except ValueError as error:  # of a number with thousands of digits, or a date that there is not
        raise SettingsError(source, [Problem("", f"a value cannot be read: {error}")]) from None
    if _contains_itself(values):
        raise SettingsError(source, [Problem("", "an alias (*name) stands within what it stands for (&name)")])
    if values is None:
        return {}
    if not isinstance(values, dict):
        message = f'expected keys and values such as `listen: [":8888"]`, found a {type(values).__name__}'
        raise SettingsError(source, [Problem("", message)])
    return values


def _contains_itself(value: Any) -> bool:
    """Whether a list or mapping is among the values of itself, at any depth. Each is looked at once, however many
    aliases lead to it."""
    within: set[int] = set()
    done: set[int] = set()
    stack: list[tuple[Any, bool]] = [(value, False)]
    while stack:
        each, left = stack.pop()
        if left:
            within.discard(id(each))
            done.add(id(each))
        elif id(each) in within:
            return True
        elif id(each) not in done and isinstance(each, (dict, list, tuple)):
            within.add(id(each))
            stack.append((each, True))
            stack += [(inner, False) for inner in (each.values() if isinstance(each, dict) else each)]
    return False


def validate(values: Mapping[str, Any], source: str) -> Settings:
    """Settings from plain values. Raises SettingsError with every problem found."""
    settings: Settings | None = None
    values, problems = with_token_from_file(values)
    try:
        settings = Settings(**{str(key): value for key, value in values.items()})
    except ValidationError as error:
        problems += [describe(details, Settings, values) for details in error.errors()]
    problems += _repeated_names(values)
    if problems or settings is None:
        raise SettingsError(source, problems)
    return settings


def describe(details: ErrorDetails, model: type[BaseModel], given: Any = None) -> Problem:
    """A pydantic error in words: full path, value, expectation, did-you-mean.

    given: what was checked, in which the value stands as somebody wrote it: `2h`, of which pydantic only knows 7200.0
    """
    location = details["loc"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    if details["type"] == "extra_forbidden":
        key = str(location[-1])
        of_route = location[:-1] == () if model is RouteSettings else location[:1] == ("routes",) and len(location) == 3
        hint = _ELSEWHERE.get(key) if of_route else None
        return Problem(where, "unknown key" + (hint or _did_you_mean(key, _keys_beside(location, model))))
    if details["type"] == "missing":
        return Problem(where, "is missing")
    written = _written(given, location, details["input"])
    message = expectation(details, of_time=isinstance(written, str) and isinstance(details["input"], float))
    found = _shorten(without_secrets(written))
    told = found in message and isinstance(written, str)
    # Without a place it is about all settings at once.
    untold = not location or any(map(is_secret, location))
    return Problem(where, without_passwords(message if told or untold else f"{message} (found {found})"))


def _written(given: Any, location: tuple[int | str, ...], found: Any) -> Any:
    """The value at `location` in what was given, or what was found where there is none."""
    for part in location:
        if not isinstance(given, (Mapping, list, tuple)):
            return found
        try:
            given = given[part]  # type: ignore[index]  # where the key does not fit, that is told at once
        except (KeyError, IndexError, TypeError):
            return found
    return given if location else found


def _did_you_mean(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; known keys: {', '.join(sorted(known))}"


def _keys_beside(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys that are allowed where `location`'s last part stands."""
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        found = _model_in(field.annotation) if field is not None else None
        if found is None:
            return []
        model = found
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [*names, *getattr(model, "go_names", ())]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_SHOWN else text[: _VALUE_SHOWN - 1] + "…"


def _repeated_names(values: Mapping[str, Any]) -> list[Problem]:
    """Two static routes of one name: each is told, with the place of the first."""
    routes = values.get("routes")
    first: dict[str, int] = {}
    problems = []
    for index, route in enumerate(routes if isinstance(routes, (list, tuple)) else ()):
        name = route.get("name") if isinstance(route, dict) else getattr(route, "name", None)
        if isinstance(name, str) and first.setdefault(name, index) != index:
            message = f"{name!r} is already the name of routes[{first[name]}]; give each route a name of its own"
            problems.append(Problem(f"routes[{index}].name", message))
    return problems


def _environment() -> dict[str, Any]:
    """The settings in the environment, nested. Raises SettingsError for a variable that is no setting."""
    known = tuple(Settings.model_fields)
    problems = []
    for variable in sorted(os.environ):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable.startswith(_OTHER_BEGINNINGS):
            continue
        if variable in _OTHER_VARIABLES:
            continue
        key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")[0]
        if key not in known:
            nested = [f"DOCKER__{name}" for name in DockerSettings.model_fields]
            names = [ENVIRONMENT_PREFIX + name.upper() for name in (*known, *nested)]
            problems.append(Problem(variable, "unknown variable" + _did_you_mean(variable, names)))
    if problems:
        raise SettingsError("environment", problems)
    return dict(EnvSettingsSource(Settings)())


def _switch(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _blamed(problem: Problem, environment: Mapping[str, Any], arguments: Mapping[str, str]) -> Problem:
    """The problem with the argument or variable that it comes from, where it does not come from the file.

    arguments: settings that were given as arguments, and how those are written
    """
    keys = problem.where.partition("[")[0].split(".")
    if keys[0] in arguments:
        return replace(problem, source=arguments[keys[0]])
    values: Any = environment
    for depth, key in enumerate(keys, 1):
        if not isinstance(values, Mapping) or key not in values:
            return problem
        values = values[key]
        if not isinstance(values, Mapping):
            return _of_variable(problem, ENVIRONMENT_PREFIX + "__".join(keys[:depth]).upper(), values)
    return problem


def _of_variable(problem: Problem, name: str, value: Any) -> Problem:
    """Compose files write `${TOKEN:-}`, which sets a variable to nothing where somebody meant not to set it."""
    if value == "":
        problem = replace(problem, message="is empty; give it a value, or remove it")
    return replace(problem, source=name)


def _given(overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (overrides or {}).items() if value is not None}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, key by key, nested mappings included."""
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        both = isinstance(lower, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(lower, value) if both else value  # type: ignore[arg-type]  # both are mappings here
    return merged


def _yaml_place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""


def _yaml_reason(error: yaml.YAMLError) -> str:
    reason = getattr(error, "problem", None)
    return f": {reason}" if reason else ""
