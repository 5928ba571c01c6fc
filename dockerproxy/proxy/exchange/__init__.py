"""One client request and its one answer, from the choice of an upstream to the last byte.

exchange.py      Exchange: the request goes to an upstream, and its answer to the client
  attempts.py    Attempts: which upstreams are asked, one after the other
    attempt.py   one try at one upstream
    retry.py     what has been tried, and whether it may be tried again
  request_body.py  what has come of a request's body
  restriction.py what keeps a request from a route: a pause, maintenance, https
shared.py        Shared: what all exchanges use
  routes.py      LiveRoutes: the table, and what goes on from one table to the next
    live.py      LiveRoute: one route in use
    gate.py      the entry of a route with middlewares
  pages.py       what a client is shown where no answer comes
buffered_client.py  BufferedClient: takes the answer behind a gate
client.py        Client: what an exchange asks of whoever sent the request
"""
