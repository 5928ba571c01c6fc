"""The server: builds every part once, and runs them together.

server.py     Server: start, reload, drain, stop; the only place that knows all the parts
listeners.py  Listeners: the addresses that clients connect to
rereading.py  SettingsReader: reads the settings anew, beside the loop
stale_files.py  which files that were read are the old ones, behind a mount
gateway.py    GatewayNotice: what a published port does to clients' addresses
note.py       Note: tells commands where this proxy is asked

Calls run from the server down.
"""

from dockerproxy.server.server import Server

__all__ = ["Server"]
