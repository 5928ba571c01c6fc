"""Reading settings: arguments, environment, file, in this order of precedence; and who is to blame for a problem."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.settings.docker_environment import docker_of
from dockerproxy.settings.file import CONFIG_VARIABLE, find_config, read_file
from dockerproxy.settings.model import ENVIRONMENT_PREFIX, DockerSettings, Settings
from dockerproxy.settings.options import RouteOptions
from dockerproxy.settings.problems import meant_key, problems_in
from dockerproxy.settings.secret import with_token_from_file

# Variables with our prefix that are not settings: the settings file's name, what docker-compose.yml takes, and (by how
# they begin) switches of the test suite.
_OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "DOCKERPROXY_IMAGE", "DOCKERPROXY_PUBLISH"})
_NONE_COUNTS = ("response_timeout", "stall_timeout")
_OTHER_BEGINNINGS = ("DOCKERPROXY_REQUIRE_", "DOCKERPROXY_ENGINE_")


def load(
    config: str | None = None, overrides: Mapping[str, Any] | None = None, program: Mapping[str, Any] | None = None
) -> Settings:
    """The settings from `config` (else DOCKERPROXY_CONFIG, else ./dockerproxy.yaml), environment and arguments.

    overrides: values from the command line; a None is left out
    program:   the arguments of a `Proxy`, which the command line counts before; a None is left out, but where it means
               `none` and the default is another
    Raises SettingsError with every problem found.
    """
    path = find_config(config)
    file_values = read_file(path) if path is not None else {}
    environment = _environment()
    in_python, on_line = _given(program, _NONE_COUNTS), _given(overrides)
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


def validate(values: Mapping[str, Any], source: str) -> Settings:
    """Settings from plain values. Raises SettingsError with every problem found."""
    settings: Settings | None = None
    values, problems = with_token_from_file(values)
    try:
        settings = Settings(**{str(key): value for key, value in values.items()})
    except ValidationError as error:
        problems += problems_in(error, Settings, values)
    problems += _repeated_names(values)
    if problems or settings is None:
        raise SettingsError(source, problems)
    return settings


def options_of(given: Mapping[str, Any], source: str) -> RouteOptions:
    """Options of a route from plain values. Raises SettingsError with every problem found."""
    try:
        return RouteOptions.model_validate(given)
    except ValidationError as error:
        raise SettingsError(source, problems_in(error, RouteOptions, given)) from None


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
            problems.append(Problem(variable, "unknown variable" + meant_key(variable, names)))
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


def _given(values: Mapping[str, Any] | None, none_counts: Collection[str] = ()) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if value is not None or key in none_counts}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, key by key, nested mappings included."""
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        both = isinstance(lower, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(lower, value) if both else value  # type: ignore[arg-type]  # both are mappings here
    return merged
