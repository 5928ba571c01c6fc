"""Answers: the one place that turns what went wrong into a status and a page.

Codes are stable names; they stand in logs and in the page, so that a person can look them up.
"""

from __future__ import annotations

from typing import NamedTuple

from dockerproxy.http1.head import RequestHead, ResponseHead


class Answer(NamedTuple):
    """Status and words for one code; `close` when the connection cannot be used again."""

    status: int
    title: str
    text: str
    close: bool = False


ANSWERS: dict[str, Answer] = {
    "bad_request": Answer(400, "Bad Request", "The request is not valid HTTP/1.1.", close=True),
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
    "not_implemented": Answer(501, "Not Implemented", "The proxy does not implement this.", close=True),
    "attempts_exhausted": Answer(502, "Bad Gateway", "No upstream of this route gave an answer."),
    "not_repeatable": Answer(
        502, "Bad Gateway", "The upstream failed after it had received the request, which must not be sent twice."
    ),
    "no_upstream": Answer(503, "Service Unavailable", "The route has no upstream right now."),
    "too_many_held": Answer(503, "Service Unavailable", "Too many requests wait for this route."),
    "overloaded": Answer(503, "Service Unavailable", "All connections to the upstreams of this route are in use."),
    "timed_out": Answer(504, "Gateway Timeout", "No upstream of this route answered in time."),
    "version_not_supported": Answer(
        505, "HTTP Version Not Supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here.", close=True
    ),
}

# A container that is being recreated is usually back by then.
RETRY_AFTER = 5  # seconds

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{status} {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{{color-scheme:light dark}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}}
h1{{font-size:1.5rem}}code{{opacity:.7}}</style></head>
<body><h1>{status} {title}</h1><p>{text}</p><p><code>{code}</code></p></body></html>
"""


def answer(code: str, *, html: bool, allow: tuple[str, ...] = ()) -> tuple[ResponseHead, bytes]:
    """Head and body of the answer for `code`, as a page or as one line of text."""
    found = ANSWERS[code]
    form = _PAGE if html else "{status} {title}: {text} ({code})\n"
    body = form.format(status=found.status, title=found.title, text=found.text, code=code).encode()
    head = ResponseHead(found.status, 1, f"HTTP/1.1 {found.status} {found.title}\r\n".encode())
    kind = b"text/html" if html else b"text/plain"
    head.lines = [b"Content-Type: " + kind + b"; charset=utf-8", b"Cache-Control: no-store"]
    if found.status == 405:
        head.lines.append(b"Allow: " + ", ".join(allow).encode())
    if found.status == 503:
        head.lines.append(b"Retry-After: %d" % RETRY_AFTER)
    head.length = head.length_field = len(body)
    head.keep_alive = not found.close
    return head, body


def wants_html(head: RequestHead) -> bool:
    """Whether the client is a browser that takes a page."""
    return any(line[:7].lower() == b"accept:" and b"text/html" in line for line in head.lines)
