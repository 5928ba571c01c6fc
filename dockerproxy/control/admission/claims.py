"""Claims: what containers wish, less what the constraints forbid them. Pure: snapshots in, snapshots out.

A container loses the domains that it may not have, and its part in a route whose domains it may not have, be that a
static, a dynamic or another container's route. It is told so. The rest of its wishes stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dockerproxy.control.admission.constraints import Constraints
from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Domain, Route

Domains = Sequence[Domain | None]  # None: every domain


@dataclass(slots=True, eq=False)
class _Claim:
    """One container's part in one route; `wish` is None once it has lost it."""

    container: ContainerView
    wish: RouteWish | None
    reasons: list[Reason] = field(default_factory=list)

    @property
    def age(self) -> tuple[float, str, str]:
        """The older container wins, as where routes are merged."""
        return self.container.created, self.container.name, self.container.id


def allowed(
    constraints: Constraints, firm: Mapping[str, Route], snapshots: Sequence[Snapshot], prefix: str
) -> tuple[Snapshot, ...]:
    """The snapshots, without the wishes that are forbidden.

    firm:   static and dynamic routes by name, which containers may wish to join
    prefix: of the labels, for messages
    """
    trial = _Trial(constraints, firm, prefix)
    return trial.run(snapshots) if trial.is_needed(snapshots) else tuple(snapshots)


class _Trial:
    """The work on one set of snapshots."""

    def __init__(self, constraints: Constraints, firm: Mapping[str, Route], prefix: str) -> None:
        self._constraints = constraints
        self._firm = firm
        self._prefix = prefix

    def is_needed(self, snapshots: Sequence[Snapshot]) -> bool:
        """False for nearly everybody: nothing is constrained, and nobody asks for the domain of the admin handlers."""
        if not self._constraints.idle:
            return True
        is_admin = self._constraints.is_admin
        for snapshot in snapshots:
            for view in snapshot.containers:
                for wish in view.wishes:
                    for domain in self._asked_for(wish):
                        if is_admin(domain.name):
                            return True
        return False

    def _asked_for(self, wish: RouteWish) -> Sequence[Domain]:
        firm = self._firm.get(wish.route)
        return firm.domains if firm is not None else wish.domains or (wish.default_domain,)

    def run(self, snapshots: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
        pools: dict[str, list[_Claim]] = {}
        found = []
        for snapshot in snapshots:
            claims = [[_Claim(view, wish) for wish in view.wishes] for view in snapshot.containers]
            for claim in (claim for each in claims for claim in each):
                self._drop_forbidden_domains(claim)
                if claim.wish is not None:
                    pools.setdefault(claim.wish.route, []).append(claim)
            found.append((snapshot, claims))
        for name, pool in pools.items():
            self._judge(name, pool)
        return tuple(_with(snapshot, claims) for snapshot, claims in found)

    def _drop_forbidden_domains(self, claim: _Claim) -> None:
        """Of the domains that the container itself asks for."""
        wish = claim.wish
        if wish is None or wish.domains is None:
            return
        kept = []
        for domain in wish.domains:
            why = self._constraints.forbid(claim.container, domain)
            if why:
                claim.reasons.append(self._reason(claim.container, wish, f"it may not have {domain}: {why}"))
            else:
                kept.append(domain)
        if len(kept) < len(wish.domains):
            claim.wish = replace(wish, domains=tuple(kept)) if kept else None

    def _judge(self, name: str, pool: Sequence[_Claim]) -> None:
        """Who of those that name the same route may have part in it."""
        firm = self._firm.get(name)
        if firm is not None:
            self._keep_allowed(pool, firm.domains or (None,))
            return
        pool = sorted(pool, key=lambda claim: claim.age)
        # Else whoever is older could keep a domain from those it is meant for, by the name of their route alone.
        granted = next((claim for claim in pool if self._is_granted(claim)), None)
        if granted is not None:
            pool = self._keep_allowed(pool, _domains(granted))
        while pool:
            kept = self._keep_allowed(pool, _domains(_owner(pool)))
            if len(kept) == len(pool):
                return
            pool = kept

    def _is_granted(self, claim: _Claim) -> bool:
        """Whether it asks for a domain that a constraint gives to it."""
        named = claim.wish.domains or () if claim.wish is not None else ()
        return any(self._constraints.closest(domain.name) is not None for domain in named)

    def _keep_allowed(self, pool: Sequence[_Claim], domains: Domains) -> list[_Claim]:
        """Those that may have all of the domains; the others lose their part."""
        for claim in pool:
            for domain in domains:
                why = self._constraints.forbid(claim.container, domain)
                if why and claim.wish is not None:
                    what = f"it may not join route {claim.wish.route} at {domain or 'every domain'}: {why}"
                    claim.reasons.append(self._reason(claim.container, claim.wish, what))
                    claim.wish = None
        return [claim for claim in pool if claim.wish is not None]

    def _reason(self, container: ContainerView, wish: RouteWish, what: str) -> Reason:
        named = f"{self._prefix}.{wish.route}.host"
        label = named if named in container.labels else f"{self._prefix}.host"
        mend = f"choose another {label}, or have the constraints in the proxy's settings changed"
        return Reason(Code.NOT_ALLOWED, what, mend, label=label)


def _owner(pool: Sequence[_Claim]) -> _Claim:
    """The one whose labels say where the route is: the oldest that says anything, else the oldest."""
    return next((claim for claim in pool if claim.wish is not None and claim.wish.says_where), pool[0])


def _domains(claim: _Claim) -> Domains:
    wish = claim.wish
    return () if wish is None else wish.domains or (wish.default_domain,)


def _with(snapshot: Snapshot, claims: Iterable[Sequence[_Claim]]) -> Snapshot:
    """The snapshot with what is left of the claims; the same one where nothing was lost."""
    views = tuple(map(_view, snapshot.containers, claims))
    return snapshot if views == snapshot.containers else replace(snapshot, containers=views)


def _view(view: ContainerView, claims: Sequence[_Claim]) -> ContainerView:
    reasons = [reason for claim in claims for reason in claim.reasons]
    if not reasons:
        return view
    wishes = tuple(claim.wish for claim in claims if claim.wish is not None)
    return replace(view, wishes=wishes, reasons=(*view.reasons, *dict.fromkeys(reasons)))
