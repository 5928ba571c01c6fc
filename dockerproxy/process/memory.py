"""Memory: how the C library's allocator keeps and returns it. Set once, before anything is served.

glibc adapts its thresholds to what a program frees. A proxy frees a buffer of up to 256 KiB at every read, and the
adapted thresholds are the worst for it: memory goes back to the kernel and is asked for again at every read (a third of
the CPU time of a large answer), while after a storm of slow readers it is not given back at all. Fixed ones cure both.
Whoever has set them in the environment, by the names of mallopt(3) or as tunables, is not overruled.
"""

from __future__ import annotations

import ctypes
import os
import sys

# malloc.h of glibc; mallopt(3). Setting either switches the adapting off.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
THRESHOLD = 4 << 20  # bytes; above every buffer of ours, far below what a storm leaves behind
_BY_HAND = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
_TUNABLES = ("glibc.malloc.trim_threshold=", "glibc.malloc.mmap_threshold=")


def fix_thresholds() -> bool:
    """Fix the thresholds. False where the C library is another one, does not take them, or has been told others."""
    if sys.platform != "linux" or _set_by_hand():
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, THRESHOLD)) and bool(mallopt(_M_MMAP_THRESHOLD, THRESHOLD))


def _set_by_hand() -> bool:
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    return any(name in os.environ for name in _BY_HAND) or any(name in tunables for name in _TUNABLES)
