"""An upstream over https that takes only clients which show a certificate of its authority; see site.yaml.

python examples/https/upstream.py [FOLDER]      FOLDER holds the certificates; default: certificates
"""

from __future__ import annotations

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ADDRESS = ("127.0.0.1", 2443)


class Page(BaseHTTPRequestHandler):
    """One page for every path; it tells who asks, and how the person behind it came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the page."""
        assert isinstance(self.connection, ssl.SSLSocket)
        shown: Any = self.connection.getpeercert()
        asking = dict(entry[0] for entry in shown["subject"])["commonName"]
        body = f"Asked by {asking}, for somebody over {self.headers.get('X-Forwarded-Proto')}.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def context(folder: Path) -> ssl.SSLContext:
    """Shows upstream.internal.pem, and wants to be shown what ca.pem vouches for."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(folder / "upstream.internal.pem", folder / "upstream.internal.key")
    found.load_verify_locations(folder / "ca.pem")
    found.verify_mode = ssl.CERT_REQUIRED
    return found


if __name__ == "__main__":
    certificates = Path(sys.argv[1] if len(sys.argv) > 1 else "certificates")
    with ThreadingHTTPServer(ADDRESS, Page) as server:
        # The handshake is each connection's own thread's work, so that a silent client holds up nobody.
        server.socket = context(certificates).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        print(f"the upstream listens on https://localhost:{ADDRESS[1]}; Ctrl-C ends it", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")
