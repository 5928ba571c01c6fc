"""The command `dockerproxy`, also as `python -m dockerproxy`: hears signals first, then loads the rest and runs it.

Loading takes about half a second. To the first process of a container the kernel delivers only the signals that it
has a handler for: without one, a `docker stop` in that time would be lost, and end in SIGKILL ten seconds later.
"""

from __future__ import annotations

import os
import signal
import sys

_FIRST_PROCESS = 1
_STOPPED_EARLY = 128 + signal.SIGTERM  # what a shell says of a program that SIGTERM has ended
_SERVING = ("run", "demo")


def main() -> int:
    """Run the command line; returns the exit code."""
    _hear_signals()
    if sys.argv[1:] == ["health"]:  # every few seconds, where it is an image's health check
        from dockerproxy.health import check_running

        code = check_running()
        if code is not None:
            return code
    from dockerproxy.cli import main as run

    return run()


def _hear_signals() -> None:
    """Until the server listens to signals itself."""
    if os.getpid() == _FIRST_PROCESS:
        signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(_STOPPED_EARLY))
    if sys.argv[1:2] and sys.argv[1] in _SERVING and hasattr(signal, "SIGHUP"):
        # A reload that comes before the settings were read has nothing to do; its default is to end the process.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
