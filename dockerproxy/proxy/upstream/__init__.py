"""The side of the upstreams: their connections, and the pools that keep them.

pool.py       Pool: idle connections and those who wait for one, per address
connector.py  makes connections: TCP, TLS, a handler in this process
http1.py      UpstreamConnection: one connection to one upstream
keepalive.py  whether the other end of a silent connection is still there
failure.py    why an attempt failed
"""
