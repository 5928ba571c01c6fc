"""Settings: the only reader of the environment and of files that configure the proxy.

values.py   kinds of value: durations, sizes, addresses, status lists
options.py  RouteOptions: what can be set per route, with the defaults
routes.py   RouteSettings: one route as a person writes it
constraints.py  ConstraintSettings: which containers may claim which domains
model.py    Settings: everything that can be set
secret.py   what no message may repeat; the token in a file
load.py     reads arguments, environment and file; tells what is wrong with them

Calls run from load down to values.
"""

from dockerproxy.settings.constraints import ConstraintSettings
from dockerproxy.settings.load import describe, load, tell_source, validate
from dockerproxy.settings.model import DockerSettings, Settings
from dockerproxy.settings.options import OPTION_NAMES, RouteOptions
from dockerproxy.settings.routes import Access, DomainSettings, PathSettings, RouteSettings, UpstreamSettings

__all__ = [
    "OPTION_NAMES",
    "Access",
    "ConstraintSettings",
    "DockerSettings",
    "DomainSettings",
    "PathSettings",
    "RouteOptions",
    "RouteSettings",
    "Settings",
    "UpstreamSettings",
    "describe",
    "load",
    "tell_source",
    "validate",
]
