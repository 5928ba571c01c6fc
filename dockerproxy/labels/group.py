"""LabelGroup: the labels of one route, or the plain ones, parsed. Knows what is wrong with which, not why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class LabelGroup:
    """What the labels of one route give, and what they fail to give.

    values:  option -> parsed value
    labels:  option -> the label that gave it
    failed:  option -> the label that is wrong, for labels without which the route must not be made
    unmet:   labels that ask for a protection that nothing here gives; no other label makes up for them
    present: whether there is any label at all, even one in whose place its default is used
    """

    __slots__ = ("failed", "labels", "present", "unmet", "values")

    def __init__(
        self,
        values: dict[str, Any] | None = None,
        failed: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        unmet: frozenset[str] = frozenset(),
    ) -> None:
        self.values = values or {}
        self.failed = failed or {}
        self.labels = labels or {}
        self.unmet = unmet
        self.present = False

    def __bool__(self) -> bool:
        return bool(self.values or self.failed or self.present or self.unmet)

    def only(self, wanted: Callable[[str], bool]) -> LabelGroup:
        """The options that are wanted, and all protection that is asked for."""
        return LabelGroup(
            {option: value for option, value in self.values.items() if wanted(option)},
            {option: label for option, label in self.failed.items() if wanted(option)},
            self.labels,
            self.unmet,
        )

    def has(self, wanted: Callable[[str], bool]) -> bool:
        """Whether there is a label, right or wrong, for such an option."""
        return any(wanted(option) for option in (*self.values, *self.failed))

    def over(self, below: LabelGroup) -> LabelGroup:
        """This group's labels, and where it has none, those of `below`."""
        inherited = {option: label for option, label in below.failed.items() if option not in self.values}
        labels = {**below.labels, **self.labels}
        unmet = self.unmet | below.unmet
        return LabelGroup({**below.values, **self.values}, {**inherited, **self.failed}, labels, unmet)

    @property
    def obstacles(self) -> list[str]:
        """The wrong labels in whose place there is no right one."""
        return sorted({label for option, label in self.failed.items() if option not in self.values} | self.unmet)
