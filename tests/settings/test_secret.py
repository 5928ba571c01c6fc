"""The admin token in a file of its own, and what no message about settings repeats."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerproxy.settings import load, validate
from dockerproxy.settings.secret import HIDDEN, without_passwords

from .conftest import Problems, Read, wrong

MARKER = "planted-marker-9f3"


def test_the_token_may_stand_in_a_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{MARKER}\n")
    found = read(f"admin_token_file: {tmp_path}/token")
    assert found.admin_token == MARKER
    assert found.effective_admin_access == "token"


def test_the_file_may_be_named_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(MARKER)
    monkeypatch.setenv("DOCKERPROXY_ADMIN_TOKEN_FILE", str(tmp_path / "token"))
    assert load().admin_token == MARKER


@pytest.mark.parametrize("content", [b"", b" \n", b"two words\n", b"two\nlines\n", b"\xff\xfe", None])
def test_a_token_file_that_cannot_be_used_is_an_error_that_names_it(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    (told,) = wrong(admin_token_file=str(file))
    assert told.startswith("admin_token_file: ")
    assert str(file) in told
    assert "two" not in told


def test_a_short_token_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("k3y")
    (told,) = wrong(admin_token_file=str(tmp_path / "token"))
    assert "at least 8 characters" in told
    assert "k3y" not in told


def test_two_tokens_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("something else")
    assert wrong(admin_token=MARKER, admin_token_file=str(tmp_path / "token")) == [
        "admin_token_file: admin_token is given, too; leave one of them out"
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"admin_token: [{MARKER}]",
        f"admin_token: {{value: {MARKER}}}",
        f"admin_tokn: {MARKER}",
        f"admin: {{token: {MARKER}}}",
        f"admin_token: {MARKER}\nlisten: ':1'\nlistenAndServe: ':2'",
        f"admin_token: {MARKER}\nlisten: {{password: {MARKER}}}",
        f"docker: {{host: 'tcp://user:{MARKER}@engine:2376'}}",
        f"docker: {{host: 'ssh://user:{MARKER}@engine'}}",
        *(
            f"routes: [{{name: a, upstreams: ['{url}']}}]"
            for url in (
                f"http://user:{MARKER}@host",
                f"http://{MARKER}@host",
                f"http://user:{MARKER}/x@host",
                f"http:user:{MARKER}@host",
                f"user:{MARKER}@host:80",
            )
        ),
    ],
)
def test_no_message_repeats_a_secret(problems: Problems, text: str) -> None:
    told = problems(text)
    assert told
    assert MARKER not in "\n".join(told)


def test_the_settings_do_not_show_the_token_when_they_are_printed() -> None:
    found = validate({"admin_token": MARKER}, "test")
    assert MARKER not in repr(found)
    assert MARKER not in str(found)


def test_a_long_word_with_a_password_in_it_is_left_out_up_to_its_last_sign() -> None:
    assert without_passwords(f"no: {'a:' * 20_000}pw@host is none") == f"no: {HIDDEN}@host is none"
