"""The command `dockerproxy` as a process of its own, without loading it anew for each test.

Loading takes a second of CPU time here, and there are a hundred such processes. A forker has loaded everything and
forks for each command. What a test starts instead is a small program that hands the forker its arguments, environment,
folder and standard files, passes signals on, and ends as the command does; when it is killed, so is the command. What
has to be seen from the outside (memory, the way it is loaded) is tested with a real start.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCONT)
_AS = {signal.SIGTSTP: signal.SIGSTOP}  # which nobody can pass on
_LOADED = ("check", "cli", "commands.screen", "program", "run", "server")
_LONGEST = 1 << 20  # bytes of what the forker is told


@cache
def dockerproxy() -> tuple[str, ...]:
    """What starts the command, in the place of `python -m dockerproxy`."""
    import subprocess  # not for the small program, which is to be there at once
    import tempfile

    folder = tempfile.TemporaryDirectory(prefix="forker-")
    path = f"{folder.name}/socket"
    command = [sys.executable, "-m", "tests.support.forked", path]
    root = Path(__file__).resolve().parents[2]
    forker = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def end() -> None:
        with forker:  # it ends with its standard input
            forker.communicate()
        folder.cleanup()

    atexit.register(end)
    assert forker.stdout is not None
    assert forker.stdout.readline(), "the forker did not start"
    return sys.executable, "-I", "-S", __file__, path


def _start(path: str, arguments: list[str]) -> int:
    """Have the command run, and wait for its end. Returns what it ended with, as `subprocess` has it."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)  # a handler of Python's would run only after the wait
    for number in _PASSED_ON:
        signal.signal(number, _pass_on)
    forker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    forker.connect(path)
    message = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}
    forker.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LONGEST)
    socket.send_fds(forker, [json.dumps(message).encode()], [0, 1, 2])
    command = int(forker.recv(32))
    while True:
        ready, _, _ = select.select([forker.fileno(), told], [], [])
        if forker.fileno() in ready:
            return int(forker.recv(32))
        for heard in os.read(told, 64):
            os.kill(command, _AS.get(signal.Signals(heard), heard))


def _pass_on(_number: int, _frame: FrameType | None) -> None:
    """The number is on its way already."""


class _Forker:
    """Forks for each command; ends when its standard input does."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(path)
        self._listener.listen(64)
        self._running: dict[int, socket.socket] = {}  # process -> who has asked for it
        self._ended, ended = os.pipe()
        os.set_blocking(ended, False)
        signal.set_wakeup_fd(ended)
        signal.signal(signal.SIGCHLD, _pass_on)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started the tests has pressed Ctrl-C

    def run(self) -> dict[str, Any] | None:
        """In each child, what it is to run; None in the forker itself, at its end."""
        while True:
            askers = {asker.fileno(): process for process, asker in self._running.items()}
            ready, _, _ = select.select([0, self._ended, self._listener.fileno(), *askers], [], [])
            if 0 in ready:
                for process in self._running:
                    os.kill(process, signal.SIGKILL)
                return None
            if self._listener.fileno() in ready:
                order = self._fork()
                if order is not None:
                    return order
            for file in ready:
                if file in askers:  # it says nothing, so it has ended
                    os.kill(askers[file], signal.SIGKILL)
            if self._ended in ready:
                os.read(self._ended, 64)
                self._reap()

    def _fork(self) -> dict[str, Any] | None:
        asker, _ = self._listener.accept()
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LONGEST)
        message, files, _, _ = socket.recv_fds(asker, _LONGEST, 3)
        if not message:
            asker.close()
            return None
        process = os.fork()
        if process == 0:
            self._close()
            asker.close()
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            order: dict[str, Any] = json.loads(message)
            return order
        for file in files:
            os.close(file)
        self._running[process] = asker
        asker.send(str(process).encode())
        return None

    def _close(self) -> None:
        for asker in self._running.values():
            asker.close()
        self._listener.close()
        os.close(signal.set_wakeup_fd(-1))
        os.close(self._ended)

    def _reap(self) -> None:
        for process in list(self._running):
            found, status = os.waitpid(process, os.WNOHANG)
            if found:
                asker = self._running.pop(process)
                with contextlib.suppress(OSError):  # it was killed
                    asker.send(str(os.waitstatus_to_exitcode(status)).encode())
                asker.close()


def _become(order: dict[str, Any]) -> int:
    """Run the command as a new process would."""
    for default in (signal.SIGCHLD, *_PASSED_ON):
        signal.signal(default, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["dockerproxy", *order["arguments"]]
    sys.path[0] = order["folder"]
    # The files are others than at the start: a terminal, perhaps.
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    from dockerproxy.__main__ import main

    return main()


def _load() -> None:
    """What any command needs."""
    for name in (*(f"dockerproxy.{name}" for name in _LOADED), "uvloop"):
        with contextlib.suppress(ImportError):  # uvloop may be missing
            import_module(name)


def _main() -> int:
    if len(sys.argv) > 2 or not __package__:
        code = _start(sys.argv[1], sys.argv[2:])
        if code < 0:
            signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        return code
    import gc

    _load()
    forker = _Forker(sys.argv[1])
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    order = forker.run()
    return 0 if order is None else _become(order)


if __name__ == "__main__":
    sys.exit(_main())
