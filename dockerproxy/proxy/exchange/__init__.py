"""One client request and its one answer, from the choice of an upstream to the last byte.

exchange.py      Exchange: choose, connect, relay, try again
  attempt.py     one try at one upstream
  retry.py       what has been tried, and whether it may be tried again
  request_body.py  what has come of a request's body
  restriction.py what keeps a request from a route: a pause, maintenance, https
live.py          LiveRoute: what is kept of a route from one table to the next
gate.py          the entry of a route with middlewares; inner.py: who takes the answer behind it
client.py        Client: what an exchange asks of whoever sent the request
"""
