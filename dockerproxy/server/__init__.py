"""The server: builds every part once, and runs them together.

server.py     Server: start, reload, drain, stop; the only place that knows all the parts
announcements.py  what the log tells of it at the start and after a reload
stopping.py   Stopping: whether it was asked to stop
listeners.py  Listeners: the addresses that clients connect to
settings_reader.py  SettingsReader: reads the settings anew, beside the loop
gateway.py    GatewayNotice: what a published port does to clients' addresses
stale_files.py  which files are not those that a person sees outside
note.py       Note: tells commands where this proxy is asked

Calls run from the server down.
"""

from dockerproxy.server.server import Server

__all__ = ["Server"]
