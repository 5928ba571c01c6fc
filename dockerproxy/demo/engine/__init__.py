"""The embedded engine's API over a UNIX socket.

server.py   EmbeddedEngine: the socket, up and down
  api.py    HTTP handlers: a request -> an act or a shape
  query.py  what parameters and filters of a request mean
  shapes.py containers, networks and events -> the JSON that Docker gives
"""
