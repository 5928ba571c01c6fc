"""The target as an upstream is to see it: as it was sent, but for what its route says. Pure."""

from __future__ import annotations

from dockerproxy.settings.paths import comparable, decoded, has_dots, is_plain, normalised


def rewritten(target: str, prefix: str, base: str, *, normalise: bool) -> str:
    """The target without the route's prefix, below the base path of the upstream.

    prefix:    in the form of `comparable`, or ""
    normalise: whether the path is normalised in any case. Where something is put before it, or cut off, it is if it has
               dot segments, which would lead out of there.
    """
    if not target.startswith("/"):
        return target  # OPTIONS *
    path, mark, query = target.partition("?")
    if not is_plain(path) and (normalise or has_dots(decoded(path))):
        path = normalised(path)
    if prefix:
        path = _without(prefix, path)
    return f"{base}{path}{mark}{query}"


def _without(prefix: str, path: str) -> str:
    """What is left of the path behind the prefix; all of it where it was read so that it begins otherwise."""
    if path == prefix or path.startswith(f"{prefix}/"):
        return path[len(prefix) :] or "/"
    path = normalised(path)
    if not f"{comparable(path)}/".startswith(f"{prefix}/"):
        return path
    return "/" + "/".join(path.split("/")[prefix.count("/") + 1 :])
