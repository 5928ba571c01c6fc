"""What words of other proxies' labels are here, where no label of ours says the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OF_THE_SETTINGS = "are for the settings of the proxy, not for labels"
_NOT_LETTERS = re.compile(r"[^a-z0-9]")

# What is so here, and the words that others have for it, in letters and digits alone. `{key}` stands for our prefix.
_HINTS = (
    (
        f"certificates {_OF_THE_SETTINGS}: docs/tls.md",
        "certresolver tls ssl certificate certificates acme letsencrypt letsencrypthost letsencryptemail certname cert",
    ),
    (
        f"the addresses to listen on {_OF_THE_SETTINGS}: docs/settings.md",
        "entrypoint entrypoints listen listener listeners",
    ),
    (
        "there are no priorities: of several routes the one that says most about the request wins, whichever came"
        " first (docs/matching.md)",
        "priority prio order rank",
    ),
    (
        "there are no sticky sessions: requests go to all containers of a route in turn; keep sessions where all of"
        " them find them",
        "sticky stickiness stickysession stickysessions sessionaffinity affinity session sessions cookie iphash",
    ),
    (
        "requests go to all containers of a route in turn; {key}weight=3 gives one a larger share",
        "loadbalancer loadbalancing loadbalance lb lbpolicy lbalgorithm balancer balance strategy algorithm leastconn",
    ),
    (
        "the container's own HEALTHCHECK counts, and one that fails requests is benched by itself"
        " ({key}consecutive_errors)",
        "healthcheck health healthpath healthcheckpath checks passivehealthcheck circuitbreaker",
    ),
    (
        "a redirect is a middleware: define_middlewares: {{moved: {{use: redirect, to: 'https://example.com/'}}}} in"
        " the proxy's settings, and {key}middlewares=moved; from http to https it is {key}https=redirect",
        "redirect redirects redirectregex redirectto redir return rewritehost",
    ),
    (
        "headers are set by a middleware: define_middlewares: {{mine: {{use: headers, response: {{Cache-Control:"
        " no-store}}}}}} in the proxy's settings, and {key}middlewares=mine",
        "headers header requestheaders responseheaders customheaders customrequestheaders customresponseheaders"
        " addheader setheader headerup headerdown cors accesscontrol",
    ),
    (
        "{key}middlewares=compress compresses what the application does not",
        "compress compression gzip brotli encode zstd",
    ),
    (
        "pages in the place of errors are a middleware: define_middlewares: {{nice: {{use: error_pages, pages: {{5xx:"
        " /srv/broken.html}}}}}} in the proxy's settings, and {key}middlewares=nice",
        "errors errorpage errorpages errorhandler handleerrors customerrors",
    ),
    (
        "a path is passed on as it is, or without its prefix: {key}strip_prefix=true",
        "addprefix replacepath replacepathregex rewrite rewrites rewritepath virtualdest handlepath uri",
    ),
    (
        "what cannot be connected to, or fails, is tried again at another container by itself ({key}max_attempts)",
        "retry failover",
    ),
    ("WebSockets pass without any label", "websocket websockets ws upgrade"),
    (
        "the application sees the Host that the visitor asked for, without any label",
        "passhostheader passhost hostheader",
    ),
    ("there is no mirroring of requests", "mirror mirroring shadow"),
)
_BY_WORD = {word: hint for hint, words in _HINTS for word in words.split()}


def hint_for(parts: Iterable[str], begin: str) -> str:
    """What is so here, for a label with a word of another proxy; "" if none is known.

    parts: of its name, without the prefix; the last that is known counts
    begin: what our labels begin with, with the dot
    """
    hints = (_BY_WORD.get(_NOT_LETTERS.sub("", part.lower())) for part in reversed(list(parts)))
    return next((hint.format(key=begin) for hint in hints if hint), "")
