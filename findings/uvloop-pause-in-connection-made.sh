#!/usr/bin/env bash
# uvloop 0.22.1 and 0.23.0: `transport.pause_reading()` in `connection_made` does nothing.
#
# It raises nothing, and `data_received` is called all the same; `is_reading()` is true afterwards. uvloop begins to
# read after `connection_made` has returned, whatever was said in it. The standard loop of Python 3.11.7 keeps the
# pause.
#
# Seen:    uvloop 0.22.1: is_reading() True, data_received(b'early')
#          uvloop 0.23.0: is_reading() True, data_received(b'early')
#          asyncio: is_reading() False, received b''
# Matters: who takes a connection only when there is room for it cannot say so from the start. Here nobody pauses before
#          the first bytes have come (dockerproxy/proxy/flow.py).
set -euo pipefail
source "$(dirname "$0")/support/python.sh"
for version in 0.22.1 0.23.0; do
    python_with uvloop==$version
    "$python" - <<'PYTHON'
import asyncio, importlib.metadata, socket, sys
import uvloop

class Paused(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.got = transport, b""
        transport.pause_reading()

    def data_received(self, data):
        self.got += data

async def main():
    ours, theirs = socket.socketpair()
    theirs.sendall(b"early")
    transport, protocol = await asyncio.get_running_loop().create_connection(Paused, sock=ours)
    await asyncio.sleep(0.2)
    seen = transport.is_reading(), protocol.got
    transport.abort()
    return seen

on_uvloop, on_asyncio = uvloop.run(main()), asyncio.run(main())
print(f"uvloop {importlib.metadata.version('uvloop')}: is_reading() {on_uvloop[0]}, data_received({on_uvloop[1]!r})")
print(f"asyncio: is_reading() {on_asyncio[0]}, received {on_asyncio[1]!r}")
sys.exit(on_uvloop != (True, b"early") or on_asyncio != (False, b""))
PYTHON
done
