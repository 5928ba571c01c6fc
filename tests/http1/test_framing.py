"""ChunkedDecoder and the writing of chunks, alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.http1.framing import ChunkedDecoder, encode_chunk, encode_end
from dockerproxy.http1.head import MessageError

CUTS = st.lists(st.integers(0, 400), max_size=20)


def decoded(data: bytes, cuts: list[int]) -> tuple[bytes, bool, bytes, list[bytes]]:
    """What comes of `data` cut at these places."""
    decoder, body = ChunkedDecoder(), b""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    for start, end in pairwise(places):
        if decoder.done:
            return body, True, decoder.rest + data[start:], decoder.trailers
        body += decoder.feed(data[start:end])
    return body, decoder.done, decoder.rest, decoder.trailers


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), CUTS, st.binary(max_size=30))
def test_what_was_encoded_is_decoded_in_whatever_pieces_it_comes(
    parts: list[bytes], cuts: list[int], behind: bytes
) -> None:
    data = b"".join(map(encode_chunk, parts)) + encode_end([b"X-Sum: 1"]) + behind
    assert decoded(data, cuts) == (b"".join(parts), True, behind, [b"X-Sum: 1"])


ALPHABET = st.lists(
    st.sampled_from([b"5\r\nhello\r\n", b"0\r\n", b"\r\n", b"0", b"1", b"a", b";x=1", b"\r", b"\n", b" ", b"X: 1\r\n"]),
    max_size=12,
)


@given(ALPHABET, CUTS)
def test_any_cut_of_any_bytes_gives_the_same_body_or_is_refused_in_both_ways(
    words: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(words)
    try:
        whole = decoded(data, [])
    except MessageError:
        with pytest.raises(MessageError):
            decoded(data, list(range(len(data))))
    else:
        assert decoded(data, cuts) == whole


def test_a_body_is_handed_on_as_it_comes() -> None:
    decoder = ChunkedDecoder()
    assert [decoder.feed(part) for part in (b"a\r\nhel", b"lo", b"12345\r", b"\n0\r\n\r\n")] == [
        b"hel",
        b"lo",
        b"12345",
        b"",
    ]
    assert decoder.done


def test_what_comes_in_one_piece_is_handed_on_in_one_piece() -> None:
    assert ChunkedDecoder().feed(b"1\r\nh\r\n4\r\nello\r\n0\r\n\r\n") == b"hello"


def test_bytes_behind_the_body_are_kept_for_the_next_message() -> None:
    decoder = ChunkedDecoder()
    decoder.feed(b"0\r\n\r\nGET / HTTP/1.1\r\n")
    assert decoder.rest == b"GET / HTTP/1.1\r\n"


def test_trailers_that_could_change_the_message_are_left_out() -> None:
    decoder = ChunkedDecoder()
    decoder.feed(b"0\r\nContent-Length: 5\r\nX-Sum:  1 \r\nhost: x\r\nX_Real_IP: 1\r\nX-Forwarded-User: a\r\n\r\n")
    assert decoder.trailers == [b"X-Sum: 1"]


@pytest.mark.parametrize("digits", [15, 1])
def test_a_size_may_have_fifteen_digits(digits: int) -> None:
    decoder = ChunkedDecoder()
    assert decoder.feed(b"5".zfill(digits) + b"\r\nhello") == b"hello"


@pytest.mark.parametrize(
    "data", [b"5" * 16, b"x", b"5\n", b"5 \r\n", b"\r\n", b"5\r\nhello!", b"5\r\nhello\rX", b"\x00x", b"0\r\nX: \x00y"]
)
def test_a_fault_is_refused_as_soon_as_it_is_seen(data: bytes) -> None:
    decoder = ChunkedDecoder()
    with pytest.raises(MessageError):
        decoder.feed(data + b"\r\n" if data in (b"5" * 16, b"x") else data)


def fed_until_refused(decoder: ChunkedDecoder, data: bytes) -> int:
    """How often `data` was accepted before it was refused."""
    for accepted in range(10_000):
        try:
            decoder.feed(data)
        except MessageError:
            return accepted
    pytest.fail("it was never refused")


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    decoder = ChunkedDecoder()
    accepted = fed_until_refused(decoder, b"5;" + b"a" * 1000)
    assert accepted < 5


def test_extensions_of_many_chunks_have_a_limit_together() -> None:
    decoder = ChunkedDecoder()
    accepted = fed_until_refused(decoder, b"1;a=" + b"b" * 100 + b"\r\nx\r\n")
    assert 100 < accepted < 200


def test_many_small_pieces_cost_no_more_than_their_number() -> None:
    decoder, body = ChunkedDecoder(), []
    for _ in range(20_000):
        body.append(decoder.feed(b"1\r\nx\r\n"))
    assert b"".join(body) == b"x" * 20_000


def test_chunks_and_ends_are_written_in_their_shortest_form() -> None:
    assert encode_chunk(b"x" * 16) == b"10\r\n" + b"x" * 16 + b"\r\n"
    assert encode_end([]) == b"0\r\n\r\n"
    assert encode_end([b"A: 1", b"B: 2"]) == b"0\r\nA: 1\r\nB: 2\r\n\r\n"


def test_a_decoder_tells_its_state() -> None:
    decoder = ChunkedDecoder()
    decoder.feed(b"5\r\nhe")
    assert repr(decoder) == "<ChunkedDecoder data remaining=3>"
