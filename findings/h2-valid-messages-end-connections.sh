#!/usr/bin/env bash
# h2 4.4.1 and jh2 5.0.15 end the whole connection, with all its streams, for two messages that RFC 9113 allows.
#
# - An answer 304 with Content-Length whose end comes with an empty DATA frame (section 8.1.1: an answer that is
#   defined to have no content may tell a length, "even though no content is included in DATA frames"). The same with
#   the end on its HEADERS is taken, and so is the answer to HEAD.
# - A request whose Host differs from :authority in the letter case of the name only, though that is the same entity
#   (section 8.3.1; RFC 3986 section 3.2.2: the host is case-insensitive).
#
# Seen:    h2 4.4.1, and jh2 5.0.15 the same:
#          304, end on HEADERS: taken; HEAD, end on an empty DATA: taken; Host blog.example: taken
#          304, end on an empty DATA: InvalidBodyLengthError, GOAWAY
#          Host Blog.example: ProtocolError, GOAWAY
# Matters: one such message would take along every other request of the connection; whoever speaks HTTP/2 through them
#          has to judge lengths and names himself.
set -euo pipefail
source "$(dirname "$0")/support/python.sh"
python_with h2==4.4.1 hpack==4.2.0 hyperframe==6.1.0 jh2==5.0.15
"$python" - <<'PYTHON'
import importlib, importlib.metadata, sys

LENGTH = ("content-length", "1234")


def connections(name):
    """A client and a server of one library, that have greeted each other."""
    connection = importlib.import_module(f"{name}.connection").H2Connection
    configuration = importlib.import_module(f"{name}.config").H2Configuration
    # What the client itself would refuse to send is to reach the server.
    client = connection(configuration(client_side=True, validate_outbound_headers=False))
    server = connection(configuration(client_side=False))
    client.initiate_connection()
    server.initiate_connection()
    server.receive_data(client.data_to_send())
    client.receive_data(server.data_to_send())
    return client, server


def taken_by(receiver, sender):
    """`taken`, or what became of the connection."""
    try:
        receiver.receive_data(sender.data_to_send())
    except Exception as error:
        goaway = receiver.data_to_send()[-17:-13] == b"\0\0\x08\x07"
        return f"{type(error).__name__}{', GOAWAY' if goaway else ''}"
    return "taken"


def request(method="GET", *fields):
    return [(":method", method), (":scheme", "https"), (":authority", "blog.example"), (":path", "/"), *fields]


def answered(name, method, status, end_on_data):
    client, server = connections(name)
    client.send_headers(1, request(method), end_stream=True)
    server.receive_data(client.data_to_send())
    server.send_headers(1, [(":status", status), LENGTH], end_stream=not end_on_data)
    if end_on_data:
        server.send_data(1, b"", end_stream=True)
    return taken_by(client, server)


def asked(name, host):
    client, server = connections(name)
    client.send_headers(1, request("GET", ("host", host)), end_stream=True)
    return taken_by(server, client)


changed = False
for name in ("h2", "jh2"):
    found = {
        "304, end on HEADERS": answered(name, "GET", "304", end_on_data=False),
        "HEAD, end on an empty DATA": answered(name, "HEAD", "200", end_on_data=True),
        "Host blog.example": asked(name, "blog.example"),
        "304, end on an empty DATA": answered(name, "GET", "304", end_on_data=True),
        "Host Blog.example": asked(name, "Blog.example"),
    }
    for what, became in found.items():
        print(f"{name} {importlib.metadata.version(name)}: {what}: {became}")
    expected = ["taken"] * 3 + ["InvalidBodyLengthError, GOAWAY", "ProtocolError, GOAWAY"]
    changed |= list(found.values()) != expected
sys.exit(changed)
PYTHON
