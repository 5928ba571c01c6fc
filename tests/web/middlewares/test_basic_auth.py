"""basic_auth: who is let in, who is slowed down, and what the upstream is told."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dockerproxy.web.credentials.known_credentials import GUESSES_IN_BAN, USERS_IN_BAN
from dockerproxy.web.credentials.throttle import FREE_GUESSES
from dockerproxy.web.middlewares.password import Password, hashed

from ...support.scene import Scene
from .conftest import Before

Refused = Callable[..., Awaitable[str]]


def digest(password: str) -> str:
    return "{SHA256}" + base64.b64encode(hashlib.sha256(password.encode()).digest()).decode()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


# Cheap, so that many can be tried; `hashed` makes dear ones.
CHEAP = "$scrypt$ln=4,r=8,p=1$c2FsdA$" + base64.b64encode(
    hashlib.scrypt(b"s\xc3\xa9cret:", salt=b"salt", n=16, r=8, p=1, dklen=32)
).decode().rstrip("=")  # fmt: skip
HTPASSWD = "$2y$05$2Aby9ZQoBQk4ViP2325Et.ZR3J3P3Y.mEDyA8UYqyub5JAzH5D7Ja"  # htpasswd -nbB ann sécret
DEAR = "$2b$07$" + "." * 22 + "a" * 31
USERS = {"ann": CHEAP, "bob": digest("word"), "old": "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="}


@pytest.mark.parametrize(("user", "password"), [("ann", "sécret:"), ("bob", "word"), ("old", "test")])
async def test_who_knows_the_password_is_let_in(scene: Scene, before: Before, user: str, password: str) -> None:
    upstream = await before("basic_auth", users=USERS)
    for _ in range(2):  # the second time it is remembered
        assert (await scene.get(Authorization=basic(user, password))).text == "a"
    assert all("authorization" not in request for request in upstream.requests)


@pytest.mark.parametrize("given", [
    "", basic("ann", "wrong"), basic("bob", "sécret:"), basic("eve", "word"), basic("", ""), basic("ann", ""),
    "Bearer word", "Basic", "Basic ===", "Basic YW5u", "Basic \xe9",
])  # fmt: skip
async def test_others_are_asked(scene: Scene, before: Before, given: str) -> None:
    upstream = await before("basic_auth", users=USERS, realm="the office")
    answer = await scene.get(**({"Authorization": given} if given else {}))
    assert (answer.status, answer["www-authenticate"]) == (401, 'Basic realm="the office", charset="UTF-8"')
    assert upstream.requests == []


async def test_the_upstream_may_be_told_who_it_is_and_a_client_cannot_say_so(scene: Scene, before: Before) -> None:
    upstream = await before("basic_auth", users=USERS, user_header="X-User", pass_on=True)
    authorization = basic("bob", "word")
    await scene.get(Authorization=authorization, **{"X-User": "root", "x_user": "root"})
    client = await scene.client()
    await client.send(
        b"GET / HTTP/1.1\r\nHost: a\r\nX_User: root\r\nx-user: root\r\nAuthorization: " + authorization.encode()
        + b"\r\n\r\n"
    )  # fmt: skip
    assert (await client.answer()).status == 200
    for request in upstream.requests:
        assert [value for name, value in request.fields if name in ("x-user", "x_user")] == ["bob"]
        assert request["authorization"] == authorization


async def test_whoever_guesses_is_slowed_down_and_nobody_else(scene: Scene, before: Before) -> None:
    await before("basic_auth", users=USERS)
    statuses = [
        (await scene.get(X_Forwarded_For="203.0.113.9", Authorization=basic("bob", f"guess {number}"))).status
        for number in range(FREE_GUESSES + 1)
    ]
    assert statuses == [401] * FREE_GUESSES + [429]
    right = basic("bob", "word")
    answer = await scene.get(X_Forwarded_For="203.0.113.9", Authorization=right)
    assert (answer.status, int(answer["retry-after"]) > 0) == (429, True)
    assert (await scene.get(X_Forwarded_For="203.0.113.10", Authorization=right)).status == 200


GATEWAY = "203.0.113.9"  # the address that everybody seems to come from


async def asked_by(scene: Scene, user: str, password: str) -> int:
    return (await scene.get(X_Forwarded_For=GATEWAY, Authorization=basic(user, password))).status


async def test_who_is_logged_in_stays_so_while_somebody_guesses_from_the_same_address(
    scene: Scene, before: Before
) -> None:
    await before("basic_auth", users=USERS)
    assert await asked_by(scene, "bob", "word") == 200
    for number in range(FREE_GUESSES):
        assert await asked_by(scene, "bob", f"guess {number}") == 401
    for _ in range(3):
        assert await asked_by(scene, "bob", "word") == 200
        assert await asked_by(scene, "bob", "one more guess") == 429
        assert await asked_by(scene, "old", "test") == 429  # right, but nobody knew that before


async def test_an_address_that_is_banned_is_no_place_to_guess_at_those_who_are_logged_in(
    scene: Scene, before: Before
) -> None:
    await before("basic_auth", users=USERS)
    assert await asked_by(scene, "bob", "word") == 200
    for number in range(FREE_GUESSES + GUESSES_IN_BAN):
        await asked_by(scene, "bob", f"guess {number}")
    assert await asked_by(scene, "bob", "word") == 429


async def test_who_guesses_at_others_or_at_nobody_shuts_out_nobody_else(scene: Scene, before: Before) -> None:
    await before("basic_auth", users=USERS)
    assert await asked_by(scene, "bob", "word") == 200
    for number in range(FREE_GUESSES + GUESSES_IN_BAN):
        await asked_by(scene, "ann", f"guess {number}")
        await asked_by(scene, f"nobody {number}", "guess")
    assert await asked_by(scene, "bob", "wrong") == 429
    assert await asked_by(scene, "bob", "word") == 200


async def test_who_guesses_at_very_many_users_shuts_out_all(scene: Scene, before: Before) -> None:
    names = [f"user {number}" for number in range(USERS_IN_BAN + 1)]
    await before("basic_auth", users={**USERS, **dict.fromkeys(names, USERS["bob"])})
    assert await asked_by(scene, "bob", "word") == 200
    for number in range(FREE_GUESSES):
        await asked_by(scene, "nobody", f"guess {number}")
    for name in names:
        assert await asked_by(scene, "bob", "word") == 200
        await asked_by(scene, name, "guess")
    assert await asked_by(scene, "bob", "word") == 429


async def test_a_program_with_an_old_password_is_no_guesser(scene: Scene, before: Before) -> None:
    await before("basic_auth", users=USERS)
    assert await asked_by(scene, "bob", "word") == 200
    for _ in range(FREE_GUESSES + GUESSES_IN_BAN):
        await asked_by(scene, "bob", "the old one")
    assert await asked_by(scene, "bob", "word") == 200


@pytest.mark.parametrize("user", ["eve", "bob", "old", "ann"])
async def test_a_wrong_password_costs_what_the_dearest_hash_costs_whoever_it_is_for(
    scene: Scene, before: Before, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    spent: list[int] = []
    fits = Password.fits

    def counting(password: Password, given: bytes) -> bool:
        spent.append(password.cost)
        return fits(password, given)

    await before("basic_auth", users={"bob": USERS["bob"], "old": USERS["old"], "ann": HTPASSWD, "dear": DEAR})
    monkeypatch.setattr(Password, "fits", counting)
    assert (await scene.get(Authorization=basic(user, "wrong"))).status == 401
    assert sum(spent) == Password(DEAR).cost > Password(HTPASSWD).cost > Password(USERS["bob"]).cost


async def test_what_htpasswd_writes_is_taken(scene: Scene, before: Before, tmp_path: Path) -> None:
    (tmp_path / "users").write_text(f"ann:{HTPASSWD}\n")
    await before("basic_auth", file=str(tmp_path / "users"))
    assert (await scene.get(Authorization=basic("ann", "sécret"))).status == 200
    for wrong in ("secret", "", "sécret\0", "x" * 100):
        assert (await scene.get(Authorization=basic("ann", wrong))).status == 401


def test_bcrypt_looks_at_72_bytes_of_a_password_as_in_other_programs() -> None:
    written = "$2b$04$BAofhqJeyjbRk7Bh/EKt4OezLRXTfZfmBIv.ESeNHnbrDT4GEGGDi"  # of 72 times x
    assert Password(written).fits(b"x" * 100)
    assert not Password(written).fits(b"x" * 71)


async def test_users_may_stand_in_a_file_that_is_read_again_when_it_changes(
    scene: Scene, before: Before, tmp_path: Path
) -> None:
    file = tmp_path / "users"
    file.write_text(f"# who may\n\nbob:{digest('one')}\n")
    await before("basic_auth", file=str(file))
    assert (await scene.get(Authorization=basic("bob", "one"))).status == 200
    file.write_text(f"bob:{digest('two')}\n")
    os.utime(file, ns=(1, 1))
    assert (await scene.get(Authorization=basic("bob", "one"))).status == 401
    assert (await scene.get(Authorization=basic("bob", "two"))).status == 200
    file.write_text("bob:plain\n")
    assert (await scene.get(Authorization=basic("bob", "two"))).status == 200
    file.unlink()
    assert (await scene.get(Authorization=basic("bob", "two"))).status == 200


async def test_options_that_cannot_be_are_told_without_what_they_hold(refused: Refused, tmp_path: Path) -> None:
    assert "expected either users or file" in await refused("basic_auth")
    told = await refused("basic_auth", users={"ann": "geheim"})
    assert "define_middlewares.it.users: user ann: not a hash of a password" in told
    assert "geheim" not in told
    assert "'a:b' cannot be a user's name" in await refused("basic_auth", users={"a:b": CHEAP})
    assert "/nowhere/users cannot be read" in await refused("basic_auth", file="/nowhere/users")
    (tmp_path / "users").write_text("ann\n")
    assert "users, line 1: expected name:hash" in await refused("basic_auth", file=str(tmp_path / "users"))
    (tmp_path / "users").write_text("ann:x\n")
    assert "users, line 1: not a hash" in await refused("basic_auth", file=str(tmp_path / "users"))
    assert "define_middlewares.it.realm" in await refused("basic_auth", users={"ann": CHEAP}, realm='a"b')


@pytest.mark.parametrize("cost", ["03", "17", "31"])
def test_a_bcrypt_hash_of_absurd_cost_is_refused(cost: str) -> None:
    with pytest.raises(ValueError, match="the cost of this bcrypt hash is out of bounds"):
        Password(f"$2b${cost}${'.' * 53}")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "$2y$10$abc",
        "$2x$05$" + "." * 53,
        "$2b$05$" + "a" * 53,
        "$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.",
        "{SHA256}%",
        "{MD5}abc",
        "$scrypt$ln=40,r=8,p=1$c2FsdA$a2V5",
    ],
)
def test_a_hash_of_an_unknown_kind_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"hash|base64"):
        Password(written)


def test_the_hash_of_a_password_fits_it_and_no_other() -> None:
    password = Password(hashed("correct horse"))
    assert password.fits(b"correct horse")
    assert not password.fits(b"correct hors")
    assert "correct" not in repr(password)


def test_the_command_in_the_docs_prints_a_hash() -> None:
    code = "import getpass; getpass.getpass = lambda: 'word'; import runpy; runpy.run_module({!r}, run_name='__main__')"
    module = "dockerproxy.web.middlewares.password"
    ran = subprocess.run([sys.executable, "-c", code.format(module)], capture_output=True, text=True, check=True)
    assert Password(ran.stdout.strip()).fits(b"word")
