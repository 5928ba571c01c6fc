"""Proxy: the data plane, and the only asyncio protocols in the package.

downstream/    one protocol for each client connection
exchange/      one request, one answer: choose, connect, relay, try again
upstream/      connections to upstreams, and their pools
plane.py       DataPlane: puts the parts together, and swaps in new tables
answers.py     the answers that are ours: what went wrong -> status and words
forwarding.py  where a request comes from, for upstreams and handlers; https.py: whether it came by https
prefix.py      what a client sees of an application below a prefix that it does not know
record.py      one request for the access log; request_id.py: its name
tunnel.py      bytes both ways after an upgrade
flow.py        back-pressure; keepalive.py: whether the other end of a silent connection is still there
deadlines.py   one timer for all connections
log_limit.py   no line more often than is of use

downstream -> exchange -> upstream; answers come back the same way by callbacks.
"""
