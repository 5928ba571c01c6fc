"""Settings: the only reader of the environment and of files that configure the proxy.

values.py   kinds of value: durations, sizes, addresses, status lists
options.py  RouteOptions: what can be set per route, with the defaults
routes.py   RouteSettings: one route as a person writes it
constraints.py  ConstraintSettings: which containers may claim which domains
middlewares.py  the names of middlewares, and what they stand for
model.py    Settings: everything that can be set
tls.py      TlsSettings: certificates for the https addresses
secret.py   what no message may repeat; the token in a file
docker_environment.py   DOCKER_HOST and its companions
file.py     which file it is, and what stands in it
problems.py what pydantic found wrong, in words
load.py     reads arguments, environment and file, and checks what they say

Calls run from load down to values.
"""

from dockerproxy.settings.constraints import ConstraintSettings
from dockerproxy.settings.file import tell_source
from dockerproxy.settings.load import load, options_of, validate
from dockerproxy.settings.middlewares import MiddlewareSettings
from dockerproxy.settings.model import DockerSettings, Settings
from dockerproxy.settings.options import FILE_OPTIONS, OPTION_NAMES, RouteOptions
from dockerproxy.settings.problems import describe, problems_in
from dockerproxy.settings.routes import Access, DomainSettings, PathSettings, RouteSettings, UpstreamSettings
from dockerproxy.settings.tls import CertificateSettings, TlsSettings

__all__ = [
    "FILE_OPTIONS",
    "OPTION_NAMES",
    "Access",
    "CertificateSettings",
    "ConstraintSettings",
    "DockerSettings",
    "DomainSettings",
    "MiddlewareSettings",
    "PathSettings",
    "RouteOptions",
    "RouteSettings",
    "Settings",
    "TlsSettings",
    "UpstreamSettings",
    "describe",
    "load",
    "options_of",
    "problems_in",
    "tell_source",
    "validate",
]
