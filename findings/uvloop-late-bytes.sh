#!/usr/bin/env bash
# uvloop 0.22.1 and 0.23.0: `transport.write(bytearray)` sends what stands in the bytearray later, not what stood in
# it.
#
# The part that the kernel does not take at once is not copied: whoever fills the same buffer again changes what has
# been written already, and nothing warns of it (only a change of its length raises BufferError). With 0.22.1 that is
# so for every size, for it writes nothing before the end of the turn. The standard loop of Python 3.11 copies.
#
# Seen:    uvloop 0.22.1: of 1,000 bytes 0 as written, of 2,000,000 219,264
#          uvloop 0.23.0: of 1,000 bytes 1,000 as written, of 2,000,000 219,264
# Matters: a buffer that is used again must not be written from. All that the data plane writes is `bytes`.
set -euo pipefail
source "$(dirname "$0")/support/python.sh"
for version in 0.22.1 0.23.0; do
    python_with uvloop==$version
    "$python" - <<'PYTHON'
import asyncio, importlib.metadata, socket, sys
import uvloop

async def as_written(size):
    """How many of the bytes arrive as they were when they were written."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    buffer = bytearray(b"a" * size)
    transport.write(buffer)
    buffer[:] = b"b" * size
    arrived = b""
    while len(arrived) < size:
        arrived += await loop.sock_recv(theirs, 1 << 20)
    transport.abort()
    return arrived.count(b"a")

version = importlib.metadata.version("uvloop")
small, large = uvloop.run(as_written(1000)), uvloop.run(as_written(2_000_000))
print(f"uvloop {version}: of 1,000 bytes {small:,} as written, of 2,000,000 {large:,}")
sys.exit(small != (0 if version == "0.22.1" else 1000) or large == 2_000_000)
PYTHON
done
