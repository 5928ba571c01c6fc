"""Contexts for handshakes with clients: the versions of TLS, and what is spoken inside it."""

from __future__ import annotations

import ssl

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def server_context(min_version: str) -> ssl.SSLContext:
    """A context for handshakes with clients, without a certificate as yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[min_version]
    # Each renegotiation costs this side far more than the client (CVE-2011-1473); nobody needs it.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context
