"""What became of each label of a container: read, and what it means, or ignored, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockerproxy.control.explain.evidence import Json
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.labels.native import LabelReader
from dockerproxy.labels.reading import COMPOSE_ONEOFF, COMPOSE_PROJECT, COMPOSE_SERVICE, SYSTEMD_UNIT
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.labels.table import BY_NAME

# A label that such a reason is about was read, and was followed.
_FOLLOWED = frozenset(
    {
        Code.ONE_MORE_ROUTE,
        Code.FORBIDDEN,
        Code.ROUTE_LEFT_OUT,
        Code.UNKNOWN_MIDDLEWARE,
        Code.OTHER_MIDDLEWARES,
        Code.LETTER_CASE,
    }
)
# It may have lost one domain of several.
_FOLLOWED_IN_PART = frozenset({Code.PLACE_TAKEN, Code.NOT_ALLOWED})
_NOT_SHOWN = "(not shown)"  # of a label that asks for protection: it may be a password
_MEANINGS_OF_COMPOSE = {
    COMPOSE_SERVICE: "the compose service; the route is named after it where no label gives a name",
    COMPOSE_PROJECT: "the compose project; the route's name begins with it, for another has a service of that name",
    SYSTEMD_UNIT: "the systemd service; the route is named after it where neither a label nor compose gives a name",
    COMPOSE_ONEOFF: "set by docker compose run; keeps the container out unless the label oneoff says otherwise",
}


def label_uses(view: ContainerView, reader: LabelReader) -> list[Json]:
    """All labels that are ours, or were meant to be, in order; `label`, `value`, `use` and what belongs to it."""
    followed = _FOLLOWED | _FOLLOWED_IN_PART if view.routed else _FOLLOWED
    about = {reason.label: reason for reason in view.reasons if reason.label and reason.code not in followed}
    enable = reader.key("enable")
    forbidden = any(reason.code is Code.FORBIDDEN and reason.label == enable for reason in view.reasons)
    uses = []
    for label, value in _ours(view, reader):
        use: Json = {"label": label, "value": value}
        if label in about:
            use |= _ignored(about[label])
            if about[label].code is Code.UNKNOWN_PROTECTION:
                use["value"] = _NOT_SHOWN
        elif forbidden and label != enable:
            use |= {"use": "ignored", "reason": f"{enable}=false forbids the whole container"}
        else:
            use |= {"use": "read", "meaning": _meaning(label, reader)}
        uses.append(use)
    return uses


def _ours(view: ContainerView, reader: LabelReader) -> Iterator[tuple[str, str]]:
    labels = view.labels
    own_route = reader.key("route") in labels
    apart = any(wish.project and wish.route != labels[COMPOSE_SERVICE] for wish in view.wishes)
    for label in sorted(labels):
        one_off = label == COMPOSE_ONEOFF and labels[label].lower() == "true"
        names = (label == COMPOSE_SERVICE and not own_route) or (label == COMPOSE_PROJECT and apart)
        if reader.mentions({label: ""}) or one_off or names:
            yield label, labels[label]


def _ignored(reason: Reason) -> Json:
    what = reason.what.removeprefix(f"{reason.label}: ")
    what = what.partition(" is not used: ")[2] or what
    use: Json = {"use": "ignored", "reason": "; ".join(filter(None, (what, reason.follows)))}
    if reason.meant:
        use["did_you_mean"] = reason.meant
    return use


def _meaning(label: str, reader: LabelReader) -> str:
    if label in _MEANINGS_OF_COMPOSE:
        return _MEANINGS_OF_COMPOSE[label]
    route, option = reader.interpret(label) or ("", "")
    meaning = BY_NAME[option].meaning if option in BY_NAME else ""
    return f"of route {route}: {meaning}" if route else meaning
