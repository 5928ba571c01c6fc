"""Answers: the one place that turns what went wrong into a status and a page.

Codes are stable names, which docs/why.md explains; they stand in logs, and in the page for whoever may see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from dockerproxy.http1.head import RequestHead, ResponseHead


class Answer(NamedTuple):
    """Status and words for one code.

    close:       the connection cannot be used again
    retry_after: seconds after which the client had better come again, or 0
    """

    status: int
    title: str
    text: str
    close: bool = False
    retry_after: int = 0


# A container that is being recreated is usually back by then.
_SOON = 5  # seconds
# Somebody works on it.
_LATER = 60  # seconds


ANSWERS: dict[str, Answer] = {
    "https_required": Answer(308, "Permanent Redirect", "This site is there over https."),
    "slash_missing": Answer(308, "Permanent Redirect", "This site begins behind the slash."),
    "bad_request": Answer(400, "Bad Request", "The request is not valid HTTP/1.1.", close=True),
    "ambiguous_path": Answer(400, "Bad Request", "The path is written so that it may be read in several ways."),
    "loop": Answer(508, "Loop Detected", "The request came back to the proxy that had sent it."),
    "unknown_host": Answer(404, "Not Found", "No route is known for this host."),
    "unknown_path": Answer(404, "Not Found", "The host is known, but no route for this path."),
    "unknown_method": Answer(405, "Method Not Allowed", "The path is known, but not for this method."),
    "head_timeout": Answer(408, "Request Timeout", "The request took too long to arrive.", close=True),
    "body_timeout": Answer(408, "Request Timeout", "The body of the request took too long to arrive.", close=True),
    "body_too_large": Answer(413, "Content Too Large", "The body is larger than this route takes.", close=True),
    "target_too_long": Answer(414, "URI Too Long", "The request target is too long.", close=True),
    "expectation_failed": Answer(417, "Expectation Failed", "Only 100-continue can be expected.", close=True),
    "head_too_large": Answer(431, "Request Header Fields Too Large", "The head is too large.", close=True),
    "handler_failed": Answer(500, "Internal Server Error", "The handler of this route failed."),
    "middleware_failed": Answer(500, "Internal Server Error", "A middleware of this route failed."),
    "not_implemented": Answer(501, "Not Implemented", "The proxy does not implement this.", close=True),
    "attempts_exhausted": Answer(502, "Bad Gateway", "No upstream of this route gave an answer."),
    "not_repeatable": Answer(
        502, "Bad Gateway", "The upstream failed after it had received the request, which must not be sent twice."
    ),
    "undecided_path": Answer(
        503, "Service Unavailable", "It takes too long to find out whose path this is.", retry_after=_SOON
    ),
    "no_upstream": Answer(503, "Service Unavailable", "The route has no upstream right now.", retry_after=_SOON),
    "too_many_held": Answer(503, "Service Unavailable", "Too many requests wait for this route.", retry_after=_SOON),
    "overloaded": Answer(
        503, "Service Unavailable", "All connections to the upstreams of this route are in use.", retry_after=_SOON
    ),
    "maintenance": Answer(503, "Service Unavailable", "This site is under maintenance.", retry_after=_LATER),
    "timed_out": Answer(504, "Gateway Timeout", "No upstream of this route answered in time."),
    "version_not_supported": Answer(
        505, "HTTP Version Not Supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here.", close=True
    ),
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{status} {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{{color-scheme:light dark}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}}
h1{{font-size:1.5rem}}code{{opacity:.7}}</style></head>
<body><h1>{status} {title}</h1><p>{text}</p><p><code>{note}</code></p></body></html>
"""


def answer(
    code: str,
    *,
    html: bool,
    fields: Sequence[tuple[str, str]] = (),
    allow: tuple[str, ...] = (),
    text: str = "",
    more: Sequence[tuple[str, str]] = (),
) -> tuple[ResponseHead, bytes]:
    """Head and body of the answer for `code`, as a page or as one line of text.

    fields: name and value of what is told of this one request, in the head and at the end of the page
    text:   in place of the words that the code has
    more:   name and value of fields that stand in the head only
    """
    found = ANSWERS[code]
    form, quote = (_PAGE, escape) if html else ("{status} {title}: {text} ({note})\n", str)
    note = ", ".join(value for _, value in reversed(fields))
    words = {"title": found.title, "text": text or found.text, "note": note or code}
    body = form.format(status=found.status, **{name: quote(word) for name, word in words.items()}).encode()
    head = ResponseHead(found.status, 1, f"HTTP/1.1 {found.status} {found.title}\r\n".encode())
    kind = b"text/html" if html else b"text/plain"
    head.lines = [b"Content-Type: " + kind + b"; charset=utf-8", b"Cache-Control: no-store"]
    if found.status == 405:
        head.lines.append(b"Allow: " + ", ".join(allow).encode())
    if found.retry_after:
        head.lines.append(b"Retry-After: %d" % found.retry_after)
    head.lines += [b"%b: %b" % (name.encode(), value.encode()) for name, value in (*more, *fields)]
    head.length = head.length_field = len(body)
    head.keep_alive = not found.close
    return head, body


def wants_html(head: RequestHead) -> bool:
    """Whether the client is a browser that takes a page."""
    return any(line[:7].lower() == b"accept:" and b"text/html" in line for line in head.lines)
