"""Origin: the upstreams of all proxies: one nginx that listens on several ports.

/          128 bytes
/1m        1 MiB                /large     the largest answer of the plan
/upload    takes the whole body of the request before it answers; so does all below /api/
/assets/   the files of `bench.mixed`, with ETag, Last-Modified and Cache-Control
"""

from __future__ import annotations

import os
from pathlib import Path

from bench import mixed
from bench.errors import BenchError
from bench.peers import NGINX_TEMPORARY, NGINX_USER, program
from bench.ports import free_ports
from bench.process import Process

# Three for the proxies to take turns with, three more for containers that come and go.
PORTS = 6
SMALL = 128  # bytes
MIB = 1 << 20

_CONFIG = """
{user}worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
  {temporary}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  server {{
    {listen}
    root {folder}/files;
    client_max_body_size 0;
    client_body_buffer_size 2m;
    location = / {{ return 200 "{small}"; }}
    location /assets/ {{ expires 1h; }}
    location ~ ^/(upload$|api/) {{
      # `return` would answer before the body has come; a proxied request is read to its end first.
      proxy_method GET;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      rewrite ^ / break;
      proxy_pass http://127.0.0.1:{first};
    }}
  }}
}}
"""


class Origin:
    """The nginx behind the proxies."""

    def __init__(self, folder: Path, large_size: int, files: int) -> None:
        self._folder = folder
        self._large_size = large_size
        self._files = files
        self._process: Process | None = None
        self.ports = free_ports(PORTS)

    def __repr__(self) -> str:
        return f"<Origin on {self.ports}>"

    async def start(self) -> None:
        """Start it. Raises BenchError when there is no nginx."""
        nginx = program("nginx")
        if nginx is None:
            raise BenchError("nginx is not installed, and it is the upstream of everything: apt-get install nginx")
        self._write_files()
        config = self._folder / "origin.conf"
        config.write_text(self._config())
        argv = [nginx, "-p", str(self._folder), "-e", "stderr", "-c", str(config)]
        self._process = Process("nginx as the upstream", argv, self._folder / "origin.log")
        await self._process.wait_for_port(self.ports[0])

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.stop()

    def _write_files(self) -> None:
        files = self._folder / "files"
        files.mkdir()
        (files / "1m").write_bytes(b"x" * MIB)
        with (files / "large").open("wb") as file:
            for _ in range(self._large_size // MIB):
                file.write(b"x" * MIB)
        for each in mixed.files():
            part = files / each.path
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(b"x" * each.size)
            os.utime(part, (mixed.CHANGED, mixed.CHANGED))

    def _config(self) -> str:
        return _CONFIG.format(
            user=NGINX_USER,
            temporary=NGINX_TEMPORARY.format(folder=self._folder, name="origin"),
            folder=self._folder,
            files=self._files,
            connections=self._files // 2,
            listen=" ".join(f"listen 127.0.0.1:{port} backlog=4096;" for port in self.ports),
            small="x" * SMALL,
            first=self.ports[0],
        )
