"""ConstraintSettings: which containers may claim which domains, as a person writes it. Applied elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from dockerproxy.settings.options import Strict
from dockerproxy.settings.routes import parse_host
from dockerproxy.settings.values import split_list

EVERY_HOST = "*"
ConstraintsDefault = Literal["allow", "deny"]


def parse_host_pattern(value: Any) -> str:
    """`blog.localhost`, `*.example.com` (everything below it, at any depth) or `*`; lower case. Raises ValueError."""
    text = str(value).strip()
    if text == EVERY_HOST:
        return text
    host = parse_host(text)
    if host.rpartition(":")[1] and not host.endswith("]"):
        raise ValueError(f"{value!r} has a port; leave it out, a constraint counts for every port of a domain")
    return host


def _patterns(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_host_pattern(item) for item in split_list(value)))


def _globs(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(item) for item in split_list(value)))


def _label_globs(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value  # pydantic says what was expected
    for name, glob in value.items():
        if isinstance(glob, (Mapping, list, tuple, bool)) or glob is None:
            raise ValueError(f'label {name}: expected a text in quotes, for example "a" or "team-*"')
    return {str(name): str(glob) for name, glob in value.items()}


class ConstraintSettings(Strict):
    """One constraint: a container may claim the hosts if it fits each of the conditions that are given."""

    hosts: Annotated[tuple[str, ...], BeforeValidator(_patterns)] = Field(
        min_length=1,
        description="the domains that this is about; `*.team.example` is everything below it at any depth, not"
        " `team.example` itself; `*` is every domain",
    )
    projects: Annotated[tuple[str, ...], BeforeValidator(_globs)] = Field(
        (), description="the container's compose project is one of these; `*` and `?` stand for any characters"
    )
    networks: Annotated[tuple[str, ...], BeforeValidator(_globs)] = Field(
        (), description="the container is on one of these networks of the engine; `*` and `?` as above"
    )
    labels: Annotated[Mapping[str, str], BeforeValidator(_label_globs)] = Field(
        {}, description="the container has each of these labels with such a value; `*` and `?` as above"
    )

    @model_validator(mode="after")
    def _says_who(self) -> ConstraintSettings:
        if not (self.projects or self.networks or self.labels):
            raise ValueError(
                "says nothing about who may claim the hosts; give projects, networks or labels"
                ' (projects: "*" is every container)'
            )
        return self
