"""Proxy: the data plane, and the only asyncio protocols in the package.

front.py         one client connection
ending.py        the end of a client connection
reply.py         one answer after the other on a client connection
date_field.py    the date of answers that have none
exchange.py      one request, one answer: choose, connect, relay, try again
upstream.py      one connection to one upstream
pool.py          idle connections and those who wait for one, per address
connector.py     makes connections: TCP, TLS, a handler in this process
live.py          what is kept of a route from one table to the next
gate.py          the entry of a route with middlewares
inner.py         who takes the answer of an exchange behind a gate
retry.py         what an exchange has tried, and whether it may try again
request_body.py  what has come of a request's body
attempt.py       one try at one upstream
failure.py       why an attempt failed
client.py        what an exchange wants of a front
tunnel.py        bytes both ways after an upgrade
probing.py       whether the other end of a silent connection is still there
forwarding.py    where a request comes from, for upstreams and handlers
flow.py          back-pressure
deadlines.py     one timer for all connections
answers.py       what went wrong -> status and page
plane.py         what all connections share

front -> exchange -> pool -> upstream; answers come back the same way by callbacks.
"""
