"""In-process upstreams: aiohttp handlers and Applications behind socket pairs.

handlers.py     Handlers: reached by the data plane as containers are
  handler_server.py  HandlerServer: one handler, and the aiohttp server that it runs in
  application.py  what a person may give as a handler -> aiohttp Application
  outermost.py  the middleware before every handler: the client as it really is, access, failures
  mount.py      an Application below a prefix
gate.py         the handler before routes with middlewares
  exception_log.py  what is logged of failing handlers
  call_next.py  leads on to the route itself
"""
