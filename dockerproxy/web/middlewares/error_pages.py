"""error_pages: pages of one's own in the place of answers with certain statuses."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from aiohttp import hdrs, web
from pydantic import BeforeValidator, Field

from dockerproxy.settings.options import Strict
from dockerproxy.web.middlewares.registry import CallNext
from dockerproxy.web.relayed import RelayedResponse

_STATUS = re.compile(r"[45](\d\d|xx)")
# They are about the body that is replaced.
_OF_BODY = (
    hdrs.CONTENT_ENCODING, hdrs.CONTENT_RANGE, hdrs.CONTENT_DISPOSITION, hdrs.CONTENT_LANGUAGE, hdrs.ETAG,
    hdrs.LAST_MODIFIED, hdrs.ACCEPT_RANGES,
)  # fmt: skip


def _pages(value: Any) -> Any:
    """Statuses and paths of files. Raises ValueError."""
    if not isinstance(value, Mapping):
        return value  # pydantic says what was expected
    found = {str(status).lower(): Path(str(path)) for status, path in value.items()}
    for status, path in found.items():
        if not _STATUS.fullmatch(status):
            raise ValueError(f"{status!r} is not a status of an error; write for example 404, 4xx or 5xx")
        if not path.is_file():
            raise ValueError(f"{status}: there is no file {path}")
    return found


class ErrorPagesOptions(Strict):
    """Options of error_pages."""

    pages: Annotated[Mapping[str, Path], BeforeValidator(_pages)] = Field(
        min_length=1, description="a status such as `404`, or `4xx` or `5xx`, and the file that is shown in its place"
    )


class ErrorPages:
    """Replaces the bodies of errors, whoever made them; status and other fields stay."""

    Options = ErrorPagesOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: ErrorPagesOptions) -> None:
        self._files = options.pages
        self._pages = _read(self._files)

    def outdated(self) -> bool:
        """Whether the files are others now, or cannot be read any more."""
        try:
            return _read(self._files) != self._pages
        except OSError:
            return True

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        response = await call_next(request)
        status = str(response.status)
        page = self._pages.get(status) or self._pages.get(f"{status[0]}xx")
        if page is not None and isinstance(response, RelayedResponse):
            for name in _OF_BODY:
                response.headers.popall(name, None)
            response.headers[hdrs.CONTENT_TYPE], body = page
            response.replace(body)
        return response


def _read(files: Mapping[str, Path]) -> dict[str, tuple[str, bytes]]:
    """Content type and content by status. Raises OSError."""
    return {status: (_type(path), path.read_bytes()) for status, path in files.items()}


def _type(path: Path) -> str:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
