"""Ctrl-C while a command waits for what may never come.

Python runs its handler of a signal between two steps of its own. A signal that arrives just before the main thread goes
to sleep in a system call is not acted on until that call is over, which for the next line of a log may take for ever.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dockerproxy.process.exit_codes import EXIT_OK


@contextmanager
def ends_at_ctrl_c() -> Iterator[None]:
    """End the process at SIGINT, with exit code 0, whatever the main thread waits for.

    Nothing is tidied up: what was printed must have been flushed.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a job of a shell in the background
        yield
        return
    over = threading.Event()

    def watch() -> None:
        signal.sigwait({signal.SIGINT})
        if not over.is_set():
            os._exit(EXIT_OK)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    watcher = threading.Thread(target=watch, name="dockerproxy-ctrl-c", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        assert watcher.ident is not None
        signal.pthread_kill(watcher.ident, signal.SIGINT)
        watcher.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
