"""The upstream that lives: a small web server, so that blog.localhost:8888 has somebody who answers.

How to run it:

    python examples/upstream.py            then examples/blog.yaml or examples/blog.py
    open http://localhost:2368/            the page, without a proxy
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS = ("127.0.0.1", 2368)  # the port of the blog engine Ghost, as in the Go project's example


class Page(BaseHTTPRequestHandler):
    """One page for every path; it tells what the proxy says of the client."""

    protocol_version = "HTTP/1.1"  # keep-alive, so that the proxy uses a connection more than once

    def do_GET(self) -> None:
        """Answer with the page."""
        host, client = self.headers.get("Host"), self.headers.get("X-Forwarded-For", "nobody in between")
        body = f"The blog. You asked for {self.path} at {host}; forwarded for {client}.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    with ThreadingHTTPServer(ADDRESS, Page) as server:
        print(f"the upstream listens on http://localhost:{ADDRESS[1]}; Ctrl-C ends it", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")
