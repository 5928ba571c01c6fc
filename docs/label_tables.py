"""The tables of labels.md, from discovery's one list of labels."""

from __future__ import annotations

from collections.abc import Mapping

from dockerproxy.labels.table import LABELS, Kind, Label
from dockerproxy.settings import DockerSettings
from docs.markdown import code, table

PREFIX = str(DockerSettings().label_prefix)
_HEADER = ("label", "example", "default", "meaning")


def label_tables() -> Mapping[str, str]:
    """Name in the template -> table; one for each kind of label."""
    return {kind.value: _table(kind) for kind in Kind}


def _table(kind: Kind) -> str:
    return table(_HEADER, (_row(label) for label in LABELS if label.kind is kind))


def _row(label: Label) -> tuple[str, ...]:
    name = f"{PREFIX}.{label.name}"
    return code(name), code(f"{name}={label.example}"), label.default, label.meaning
