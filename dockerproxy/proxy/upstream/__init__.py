"""The side of the upstreams: their connections, and the pools that keep them.

pools.py      Pools: one pool per address
  pool.py     Pool: idle connections and those who wait for one
  engine_outage.py  EngineOutage: while the engine is away, who is still known to be who it was
  close_reason.py  how a connection ended
    neighbours.py  the link-layer address of who is at an address
connector.py  makes connections: TCP, TLS, a handler in this process
http1.py      UpstreamConnection: one connection to one upstream
  answer.py   Answer: takes apart what comes over it
failure.py    why an attempt failed
"""
