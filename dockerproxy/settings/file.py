"""The settings file: which one it is, and the keys and values in it, unchecked."""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.process.unreadable import why_unreadable

CONFIG_VARIABLE = "DOCKERPROXY_CONFIG"
DEFAULT_CONFIG = "dockerproxy.yaml"
_A_FOLDER = "is a folder, such as Docker makes where the file to mount is missing; give the path of a file in YAML"


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
    except PermissionError as error:
        raise SettingsError(str(path), [Problem("", why_unreadable(path, error))]) from None
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


def _yaml_place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""


def _yaml_reason(error: yaml.YAMLError) -> str:
    reason = getattr(error, "problem", None)
    return f": {reason}" if reason else ""
