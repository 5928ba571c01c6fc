"""Every input that was worth keeping, once more; and the guide finds what there is to find."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from .corpus import Corpus, as_bytes, as_text
from .guide import Guide
from .targets import TARGETS, make_target
from .targets.target import Unexpected


@pytest.mark.parametrize("name", TARGETS)
def test_every_kept_input_holds_what_must_hold(name: str) -> None:
    inputs = Corpus(name).inputs()
    assert inputs, "no input is kept"
    with contextlib.closing(make_target(name)) as target:
        for data in inputs:
            target.check(data)


@pytest.mark.parametrize("data", [b"", b"a\r\nb\n\x00\xff\\n\\", bytes(range(256))])
def test_an_input_is_kept_as_it_was(data: bytes, tmp_path: Path) -> None:
    corpus = Corpus("some", tmp_path)
    assert as_bytes(as_text(data)) == data
    file = corpus.keep(data, "crash")
    assert corpus.inputs() == [data]
    assert file.read_text(encoding="ascii").isascii()


class Broken:
    """A target that does not hold for a certain start of a line."""

    words: Sequence[bytes] = (b"GET ", b"POST ", b" HTTP/1.1")

    def check(self, data: bytes) -> None:
        from dockerproxy.http1.field_lines import Limits
        from dockerproxy.http1.head import MessageError
        from dockerproxy.http1.request_parser import RequestParser

        with Unexpected("parsing", MessageError) as refused:
            RequestParser(Limits(1000, 10, 100), b"me").parse(data)
        with Unexpected("a good request is a finding here"):
            assert refused.raised

    def close(self) -> None:
        """Nothing was started."""


def test_the_guide_finds_what_there_is_to_find() -> None:
    guide = Guide(Broken(), [b"GET / HTTP/1.0"[:-1]], seed=7)
    assert guide.run(60.0) is not None


def test_the_guide_ends_when_its_time_is_over() -> None:
    with contextlib.closing(make_target("labels")) as target:
        guide = Guide(target, Corpus("labels").inputs(), seed=1)
        assert guide.run(0.2) is None
        assert guide.tried > len(Corpus("labels").inputs())
