"""Memory: how the C library's allocator keeps and returns it. Set once, before anything is served.

glibc adapts its thresholds to what a program frees. A proxy frees a buffer of up to 256 KiB at every read, and the
adapted thresholds are the worst for it: memory goes back to the kernel and is asked for again at every read (a third of
the CPU time of a large answer), while after a storm of slow readers it is not given back at all. Fixed ones cure both.
"""

from __future__ import annotations

import ctypes
import sys

# malloc.h of glibc; mallopt(3). Setting either switches the adapting off.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
THRESHOLD = 4 << 20  # bytes; above every buffer of ours, far below what a storm leaves behind


def keep_steady() -> bool:
    """Fix the thresholds. False where the C library is another one, or does not take them."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, THRESHOLD)) and bool(mallopt(_M_MMAP_THRESHOLD, THRESHOLD))
