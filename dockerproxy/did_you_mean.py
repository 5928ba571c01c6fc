"""What a person probably meant by a name that there is not. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Of names, as difflib measures it, 0 to 1: below it, a hint is further off than a slip of the keyboard.
_LIKENESS = 0.6


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The end of a message that `word` is none of the known: `; did you mean 'blog'?`.

    otherwise: what it says when none of them is like it; may be ""
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=_LIKENESS)
    hint = f"did you mean {close[0]!r}?" if close else otherwise
    return f"; {hint}" if hint else ""
