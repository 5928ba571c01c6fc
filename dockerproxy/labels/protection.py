"""Protection: which labels that are none of ours ask for a password, a limit or another guard. Pure.

A label that nobody understands is told and left away; one that asks for protection must not be: the route would stand
open, though whoever wrote the label believes it guarded. So more is taken for such a wish than is meant as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dockerproxy.labels.table import BY_NAME

# With a slip, a word is known by so many letters that are wrong, missing, too many or swapped with the next …
_SLIPS = ((8, 2), (4, 1))  # from so many letters on
# … but these are words of their own.
_OTHER_WORDS = frozenset({"auto", "host", "hosts", "author", "authors", "date", "gate", "uses"})
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NOT_LETTERS = re.compile(r"[^a-z0-9]")
# Values that are of use for protection only: hashes of passwords, networks, names of another proxy's middlewares.
_GUARDING_VALUE = re.compile(
    r"\$(?:apr1|2[abxy]|5|6|scrypt|argon2\w{0,2})\$|\{(?:SHA|SSHA|scrypt)|htpasswd|@(?:file|docker|kubernetescrd)\b"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}/\d"
)
_HASH = re.compile(r"\$(?:apr1|2[abxy]|5|6|scrypt|argon2\w{0,2})\$|\{(?:SHA|SSHA|scrypt)")
_BETWEEN_WORDS = re.compile(r"([\s'\"]+)")
_ENCRYPTED = frozenset({"https", "ssl", "tls"})  # where a redirect to it is a guard


class Protection(NamedTuple):
    """What is asked for, and how it is asked for here.

    mend: `{middlewares}` and the like stand for our labels
    """

    name: str
    mend: str


class _Row(NamedTuple):
    """One kind of protection.

    stems: searched in the letters and digits of a part of a label
    words: also known with a slip
    """

    protection: Protection
    stems: re.Pattern[str]
    words: tuple[str, ...]


def _by_middleware(name: str, options: str) -> Protection:
    mend = (
        f"define a middleware in the proxy's settings, for example define_middlewares: {{office: {{use: {name},"
        f" {options}}}}}, and name it in the label {{middlewares}}=office"
    )
    return Protection(name, mend)


# The first that fits is told.
_ROWS = (
    _Row(
        Protection(
            "client_certificates",
            "clients are not asked for certificates here; guard the route by a middleware of the proxy's settings, such"
            " as basic_auth or ip_allow, and name it in the label {middlewares}=office",
        ),
        re.compile(r"mtls|clientc(?:a|ert)|verifyclient|mutual"),
        ("mtls", "clientauth", "clientcertificate", "verifyclient"),
    ),
    _Row(
        Protection("redirect", "a visitor who comes over plain http is sent to https by the label {https}=redirect"),
        re.compile(
            r"(?:force|require|enforce|redirect|redirectto|only)(?:https|ssl|tls|scheme)|redirectscheme"
            r"|(?:https|ssl|tls)(?:only|redirect|required|method)"
        ),
        ("forcehttps", "forcessl", "redirectscheme", "sslredirect", "httpsredirect", "httpsonly"),
    ),
    _Row(
        _by_middleware("forward_auth", "url: 'http://auth:9000/verify'"),
        re.compile(
            r"(?:forward|ext|external|request|sub)auth|auth(?:url|request|service|server|host)|oauth|oidc|openid|saml"
            r"|^ldap|^sso$|authelia|authentik|keycloak|jwt"
            r"|zerotrust|cloudflareaccess"
        ),
        ("forwardauth", "authrequest", "authelia", "authentik", "keycloak", "oauth2"),
    ),
    _Row(
        Protection("max_body", "the largest body of a request is the label {max_body}=10MiB"),
        re.compile(r"bodylimit|limitbody|bodysize|requestbody|uploadlimit|uploadsize|^buffering$"),
        ("bodylimit", "maxbodysize", "clientmaxbodysize", "maxrequestbodysize", "buffering"),
    ),
    _Row(
        _by_middleware("rate_limit", "rate: 10/s"),
        re.compile(
            r"rate(?:s|limit)|throttl|inflight|limitre|limitconn|connlimit|concurren"
            r"|^limits?$|requests?limit|^quota|^rps$|^burst$"
        ),
        ("ratelimit", "throttle", "throttling", "inflightreq", "limits", "limit"),
    ),
    _Row(
        _by_middleware("ip_allow", "networks: 10.0.0.0/8"),
        re.compile(
            r"allow|whitelist|blacklist|deny|denied|blocklist|sourcerange|ip(?:filter|restrict|range|s$)|^acls?$|cidr|geoip"
            r"|firewall|(?:internal|local|intranet|vpn)only|^private$|^internal$|networkaccess|restrict|remoteip"
            r"|^vpn$|^access$|^visibility$"
        ),
        ("ipallow", "allow", "allowlist", "whitelist", "blacklist", "deny", "denylist", "restrict", "sourcerange",
         "ipallowlist", "ipwhitelist", "ipfilter"),
    ),
    _Row(
        _by_middleware("basic_auth", "file: /run/secrets/users"),
        re.compile(
            r"auth(?!or)|authori[sz]|passw|^pass$|pwd|credential|login|secret|users?$|usersfile|digest|token|apikey|signin"
            r"|passphrase|^pin$|2fa|totp|^lock(?:ed)?$|^anonymous|^guests?$|^groups?$|^roles?$|^scopes?$"
        ),
        ("basicauth", "auth", "authentication", "authorization", "digestauth", "password", "passwd", "htpasswd",
         "credentials", "login", "users", "realm"),
    ),
    _Row(
        Protection(
            "security_headers",
            "name the middleware that is shipped, {middlewares}=security_headers, or define one with use:"
            " security_headers in the proxy's settings; Strict-Transport-Security is {hsts_max_age}=365d",
        ),
        re.compile(r"secur|^csp$|framedeny|frameoption|xssfilter|csrf|nosniff|^hsts|^sts(?:seconds|preload|include)"),
        ("securityheaders", "security", "hstsmaxage", "contentsecuritypolicy", "frameoptions"),
    ),
    _Row(
        Protection(
            "middlewares",
            "middlewares are defined in the proxy's settings (define_middlewares) and named in the label"
            " {middlewares}=office,compress",
        ),
        re.compile(
            r"middleware|plugin|snippet|^mws?$|^chain$|filters?$|protect|guard|^waf$|crowdsec|fail2ban|modsec|captcha"
        ),
        ("middlewares", "middleware", "protection", "protect", "guard"),
    ),
)  # fmt: skip
_KNOWN_WORDS = frozenset(word for name in BY_NAME for word in name.split("_")) | _OTHER_WORDS


def protection_asked_for(parts: Iterable[str], value: str) -> Protection | None:
    """What a label asks for that is none of ours; None if it is no protection.

    parts: of its name, without the prefix and the name of a route
    """
    names = [part for part in parts if part]
    for row in _ROWS:
        if any(_fits(row, name) for name in names):
            return row.protection
    if value.lower() in _ENCRYPTED and any("redir" in _flat(name) for name in names):
        return _ROWS[0].protection
    return next((row.protection for row in _ROWS if _names_one(row, value)), None) or _by_value(value)


def without_hashes(text: str) -> str:
    """The text without the hashes of passwords in it, and what stands before them: nobody is to guess at those."""
    return "".join("(not shown)" if _HASH.search(word) else word for word in _BETWEEN_WORDS.split(text))


def _fits(row: _Row, part: str) -> bool:
    flat = _flat(part)
    return row.stems.search(flat) is not None or any(_is_slip(each, row.words) for each in {flat, *_words_of(part)})


def _names_one(row: _Row, value: str) -> bool:
    return any(_flat(name) in row.words for name in value.split(","))


def _by_value(value: str) -> Protection | None:
    return _ROWS[-1].protection if _GUARDING_VALUE.search(value) else None


def _words_of(part: str) -> Iterator[str]:
    return (word.lower() for word in _WORDS.findall(part))


def _is_slip(word: str, known: Iterable[str]) -> bool:
    return word not in _KNOWN_WORDS and any(_alike(word, other) for other in known)


def _alike(word: str, known: str) -> bool:
    """Whether it is the known word with a few slips."""
    most = next((slips for letters, slips in _SLIPS if len(known) >= letters), 0)
    return abs(len(word) - len(known)) <= most and _distance(word, known) <= most


def _distance(one: str, other: str) -> int:
    """Letters that differ; two that are swapped are one (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, opposite in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != opposite))
            if row > 1 < column and letter == other[column - 2] and opposite == one[row - 2]:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]


def _flat(text: str) -> str:
    return _NOT_LETTERS.sub("", text.lower())
