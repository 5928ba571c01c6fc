#!/usr/bin/env bash
# uvloop 0.23.0 hands each `transport.write()` to the kernel at once; up to 0.22.1 they were gathered for the whole
# turn.
#
# So a head and a body that are written one after the other were one packet, and are two. And with both, a transport
# that was paused is resumed only when 16 bytes are left (asyncio: 16 KiB), unless `set_write_buffer_limits` is
# called: the writer hears that there is room when the wire has nearly run dry.
#
# Seen:    uvloop 0.22.1: after the first write None, after the turn b'headbody'; limits (16, 65536)
#          uvloop 0.23.0: after the first write b'head', after the turn b'body'; limits (16, 65536)
#          asyncio: after the first write b'head', after the turn b'body'; limits (16384, 65536)
# Matters: what belongs together is written by one `write` or `writelines` (dockerproxy/proxy/downstream).
set -euo pipefail
source "$(dirname "$0")/support/python.sh"
for version in 0.22.1 0.23.0; do
    python_with uvloop==$version
    "$python" - <<'PYTHON'
import asyncio, importlib.metadata, socket, sys
import uvloop

async def main():
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    arrived = []

    def look():
        try:
            arrived.append(theirs.recv(100))
        except BlockingIOError:
            arrived.append(None)

    transport.write(b"head")
    look()
    transport.write(b"body")
    await asyncio.sleep(0.2)
    look()
    limits = transport.get_write_buffer_limits()
    transport.abort()
    return *arrived, limits

version = importlib.metadata.version("uvloop")
on_uvloop, on_asyncio = uvloop.run(main()), asyncio.run(main())
for name, (first, then, limits) in ((f"uvloop {version}", on_uvloop), ("asyncio", on_asyncio)):
    print(f"{name}: after the first write {first!r}, after the turn {then!r}; limits {limits}")
gathers, at_once = (None, b"headbody"), (b"head", b"body")
sys.exit(
    on_uvloop != (*(gathers if version == "0.22.1" else at_once), (16, 65536))
    or on_asyncio != (*at_once, (16384, 65536))
)
PYTHON
done
