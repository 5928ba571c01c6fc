"""`module:name` -> the Python object, or what is wrong with it in words. The only importer of people's code."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import logging
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.errors import Problem, SettingsError
from dockerproxy.settings import RouteOptions, problems_in

_EXPECTED = (
    "expected `async def handler(request)`, an aiohttp View class, an aiohttp Application, or a function without"
    " parameters that makes one"
)
# By what their applications are called with.
_OTHER_KINDS = {
    ("scope", "receive", "send"): "an ASGI application",
    ("environ", "start_response"): "a WSGI application",
}

# Where code is that the person has not written: Python's own, what is installed, and this package.
_OF_OTHERS = (
    Path(__file__).parents[1],
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
)

log = logging.getLogger("dockerproxy.web")


def load_object(name: str, kind: str = "handler") -> Any:
    """The object that `module:name` stands for; the current folder is searched too. Raises SettingsError.

    kind: what it is to be, for the error
    """
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise _wrong(name, "expected module:name, as in examples.pages:hello", kind)
    found: Any = _import(name, module_name, kind)
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise _wrong(name, f"{_place(found)} has no {part!r}{_did_you_mean(part, found)}", kind) from None
    return found


def check_target(name: str, target: Any) -> Any:
    """The target, if it can be one at all. Raises SettingsError."""
    if not callable(target):
        raise _wrong(name, f"is a {type(target).__name__}; {_EXPECTED}")
    needed = _needed(target)
    if needed is None:
        return target
    kind = _OTHER_KINDS.get(needed)
    if kind is None:
        raise _wrong(name, f"takes ({', '.join(needed)}); {_EXPECTED}")
    message = (
        f"is {kind}, which is no aiohttp handler; run it with a server of its own, and give its URL as an upstream"
    )
    raise _wrong(name, message)


def _needed(target: Any) -> tuple[str, ...] | None:
    """The names of what has to be given to it, unless that is nothing or one request."""
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):  # of something written in C
        return None
    for arguments in ((), (None,)):
        with contextlib.suppress(TypeError):
            signature.bind(*arguments)
            return None
    needed = (each for each in signature.parameters.values() if each.default is each.empty)
    return tuple(each.name for each in needed if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD))


def _import(name: str, module_name: str, kind: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path and "" not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise _wrong(name, _why_import_failed(module_name, error), kind) from None
        message = f"there is no module {error.name!r}; looked in {folder} and in Python's own path"
        raise _wrong(name, message, kind) from None
    except Exception as error:
        log.debug("importing %s failed", module_name, exc_info=True)
        raise _wrong(name, _why_import_failed(module_name, error), kind) from None


def _why_import_failed(module_name: str, error: Exception) -> str:
    """The last line of the person's own code is where to look."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"importing {module_name} failed at {error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename][1:]
    told = [frame for frame in frames if _is_theirs(frame.filename)] or frames
    where = f" at {told[-1].filename}:{told[-1].lineno}" if told else ""
    if isinstance(error, ValidationError) and error.title == RouteOptions.__name__:
        wrong = "; ".join(map(str, problems_in(error, RouteOptions)))
        return f"importing {module_name} failed{where}: {error.title}: {wrong}"
    return f"importing {module_name} failed{where}: {type(error).__name__}: {error}"


def _is_theirs(filename: str) -> bool:
    return not filename.startswith("<") and not any(Path(filename).is_relative_to(folder) for folder in _OF_OTHERS)


def _place(found: Any) -> str:
    return f"module {found.__name__}" if isinstance(found, ModuleType) else repr(found)


def _did_you_mean(part: str, found: Any) -> str:
    return did_you_mean(part, (name for name in dir(found) if not name.startswith("_")))


def _wrong(name: str, message: str, kind: str = "handler") -> SettingsError:
    return SettingsError(f"{kind} {name!r}", [Problem("", message)])
