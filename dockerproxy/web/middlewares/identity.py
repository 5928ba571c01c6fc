"""Identity: fields by which an upstream is told who a client is; a client must not be able to send them itself."""

from __future__ import annotations

from collections.abc import Iterable

from multidict import CIMultiDict


def tell(headers: CIMultiDict[str], name: str, values: Iterable[str]) -> None:
    """Let `headers` have these values of a field and no others, not even in a field that CGI takes for the same."""
    for other in [each for each in headers if _twin(each) == _twin(name)]:
        headers.popall(other, None)
    for value in values:
        headers.add(name, value)


def _twin(name: str) -> str:
    """What a field is called in CGI and WSGI, where `_` and `-` are the same."""
    return name.lower().replace("_", "-")
