"""TLS: certificates for the https addresses, and how upstreams are spoken to. Reads files; opens no connection.

client.py       UpstreamTls: how TLS is spoken to the https upstreams of a route
context.py      contexts for handshakes with clients
certificate.py  Certificate: one certificate with its key, read and checked
keyring.py      Keyring: the certificates in use, one of which each handshake is given by name
renewal.py      Renewal: looks for changed files once a minute
checking.py     everything that settings say about TLS, tried once

Calls run from renewal and checking down to certificate and client.
"""
