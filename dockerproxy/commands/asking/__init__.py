"""Asking a running proxy.

client.py    AdminClient: asks a running proxy, and says in words what went wrong
endpoint.py  Endpoint: where it is asked
report.py    Report: the answer of /statistics, searched and counted
"""
