"""Labels: what the labels of a container ask for. Pure: no I/O, no clock.

table.py        LABELS: every label with kind, default, meaning and example
native.py       LabelReader: our labels -> Reading, or reasons in words
  grouping.py   Grouping: all labels of a container, parsed and sorted by route; group.py: those of one route
    protection.py   which unknown labels ask for a guard, so that their route must not stand open
    other_proxies.py  what words of other proxies are here
reading.py      Reading, and what it consists of: what labels ask for, whatever they are written in
suggestions.py  which label was probably meant
mentions.py     which hosts labels are about, well written or not
traefik.py      what labels for Traefik would be in ours
reason.py       Reason, Code: why, in words and in one word
control_characters.py   what may not stand in a line of the log

Calls run from native down; mentions asks native. Another dialect of labels stands beside it and makes Readings, too.
"""
