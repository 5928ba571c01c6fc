"""Asking a running proxy.

access.py  the options that each command takes, and the client that they make
client.py  AdminClient: asks a running proxy, and says in words what went wrong
place.py   Place: where it is asked
"""
