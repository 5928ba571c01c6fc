"""Fuzzing: `python -m tests.fuzz --seconds 600`, or `make fuzz`.

__main__.py   arguments -> one process per target, one after the other
campaign.py   one target for some seconds: guided by atheris if it is installed, else by the guide below
guide.py      mutation guided by the lines that an input reaches; needs nothing but Python
mutation.py   one input -> another one like it
corpus.py     inputs worth keeping, as text files
targets/      what is fuzzed, and what must hold for every input
test_corpus.py  every kept input, with every run of the tests

A target raises for an input that breaks what must hold; such an input is written into the corpus.
"""
