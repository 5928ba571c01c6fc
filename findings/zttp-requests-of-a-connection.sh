#!/usr/bin/env bash
# zttp 0.0.35 ends an HTTP/2 connection with "flood detected" at its 4,097th request, however well they come.
#
# Every request here is sent after the one before has been answered whole: never more than one stream is open, nothing
# is reset, no window is at its end; a second's pause after every 500 changes nothing. A count that no time and no
# answer brings down looks like a bound on floods, until a connection has lived long enough, such as one from a proxy.
#
# Seen:    answered 4,096 requests, then RemoteProtocolError: HTTP/2 flood detected (enhance your calm)
# Matters: connections between proxies live long; a budget against floods has to be refilled by time or by answers.
set -euo pipefail
source "$(dirname "$0")/support/python.sh"
python_with zttp==0.0.35 h2==4.4.1
"$python" - <<'PYTHON'
import sys
import h2.config, h2.connection, h2.events
import zttp

MOST = 10_000
client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
client.initiate_connection()
server = zttp.Connection(zttp.SERVER, protocol=zttp.HTTP2)
REQUEST = [(":method", "GET"), (":scheme", "https"), (":authority", "blog.example"), (":path", "/")]


def turn():
    """What the client has sent is answered; returns how many answers came whole."""
    server.receive_data(client.data_to_send())
    while (event := server.next_event()) is not zttp.NEED_DATA:
        if isinstance(event, zttp.Request):
            stream = server.stream(event.stream_id)
            stream.send_response(200, [(b"content-length", b"0")])
            stream.end_message()
    return sum(isinstance(event, h2.events.StreamEnded) for event in client.receive_data(server.data_to_send()))


turn()
answered = 0
try:
    for number in range(MOST):
        client.send_headers(1 + 2 * number, REQUEST, end_stream=True)
        answered += turn()
except zttp.RemoteProtocolError as error:
    print(f"answered {answered:,} requests, then {type(error).__name__}: {error}")
    sys.exit(answered != 4096)
print(f"answered {answered:,} requests")
sys.exit(1)
PYTHON
