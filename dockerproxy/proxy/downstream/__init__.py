"""The side of the clients: one protocol for each connection.

http1.py       Front: one client connection
  request_reader.py  what the client has sent: heads and bodies
  reply.py     one answer after the other; date_field.py: the date of answers that have none
  closing.py   the end of a client connection
  tunnelled.py  a client connection after an upgrade
handshake.py   a client connection over TLS, until it is a Front's
clients.py     Clients: all of them, and what they have in common
  client_limit.py  ClientLimit: how many there may be, and who has to go for a new one

Calls run from http1 and handshake down; an exchange knows a client only by what `proxy.exchange.client` asks of it.
"""
