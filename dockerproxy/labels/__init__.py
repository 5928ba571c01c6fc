"""Labels: what the labels of a container ask for. Pure: no I/O, no clock.

table.py        LABELS: every label with kind, default, meaning and example
native.py       LabelReader: our labels -> Reading, or reasons in words
reading.py      Reading, and what it consists of: what labels ask for, whatever they are written in
suggestions.py  which label was probably meant
mentions.py     which hosts labels are about, well written or not
traefik.py      what labels for Traefik would be in ours
reason.py       Reason, Code: why, in words and in one word
control_characters.py   what may not stand in a line of the log

native uses all others; another dialect of labels stands beside it and makes Readings, too.
"""
