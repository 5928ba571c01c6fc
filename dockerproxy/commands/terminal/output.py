"""Output: a command's answer, as JSON for a program or on a Screen for a person."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dockerproxy.commands.terminal.phrases import clean_json

if TYPE_CHECKING:
    from dockerproxy.commands.terminal.screen import Screen


class Output:
    """Standard output, in the form that the options ask for.

    json: whether it is JSON; by default it is, unless standard output is a terminal
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.json = not sys.stdout.isatty() if options.json is None else bool(options.json)

    def show(self, answer: Any, draw: Callable[[Screen], None]) -> None:
        """Write the answer; `draw` does it for a person."""
        if self.json:
            print(clean_json(json.dumps(answer, indent=2, ensure_ascii=False)))
            return
        from dockerproxy.commands.terminal.screen import (
            Screen,  # rich takes a while to load, and JSON has no need of it
        )

        draw(Screen())
