"""Peers: the proxies that are compared: whether they are installed, and how each is started for the same task.

The task is always the same: take turns between the upstreams over kept-alive connections, say in X-Forwarded-* where
a request comes from, stream bodies in both directions, log no requests, in one process with one thread for traffic.
Where a default would spoil the comparison it is changed, with the reason beside it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.ports import LOOPBACK
from dockerproxy.version import VERSION

_SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
# Seconds for a program to say its version.
_PATIENCE = 10.0

# As root nginx would serve as `nobody`, who cannot read the temporary folder.
NGINX_USER = "user root;\n" if os.geteuid() == 0 else ""
NGINX_TEMPORARY = " ".join(
    f"{kind}_temp_path {{folder}}/{{name}}-{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


@dataclass(frozen=True, slots=True)
class Site:
    """What a proxy shall serve.

    port:      where it listens on 127.0.0.1
    upstreams: ports of the upstreams of every host
    hosts:     the domains; none: every domain
    files:     open files it may need
    docker:    where the engine's socket is, for discovery; only dockerproxy knows about that
    """

    port: int
    upstreams: Sequence[int]
    hosts: Sequence[str] = ()
    files: int = 4096
    docker: Path | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a proxy."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peer:
    """One proxy.

    version:  what is installed, or None
    prepare:  writes its settings for a site into a folder
    has_routes: whether it knows domains at all
    """

    name: str
    version: Callable[[], str | None]
    prepare: Callable[[Site, Path], Command]
    has_routes: bool = True


def program(name: str) -> str | None:
    """Where a program is; a user's PATH may lack the folder of servers."""
    return shutil.which(name, path=_SEARCH)


def _said(name: str, *arguments: str) -> str | None:
    """The first line of what a program says of its version; None when it is not installed."""
    path = program(name)
    if path is None:
        return None
    done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else "?"


# dockerproxy


def _dockerproxy(site: Site, folder: Path, python: str = sys.executable) -> Command:
    upstreams = [{"url": f"http://{LOOPBACK}:{port}"} for port in site.upstreams]
    hosts = [{"host": host} for host in site.hosts] or [{}]
    settings = {
        "listen": f"{LOOPBACK}:{site.port}",
        "state_dir": str(folder / "state"),
        "docker": {"enabled": True, "host": f"unix://{site.docker}"} if site.docker else {"enabled": False},
        "routes": [{"name": f"route-{n}", **host, "upstreams": upstreams} for n, host in enumerate(hosts)],
    }
    if not upstreams:
        settings["routes"] = []
    file = folder / "dockerproxy.yaml"
    file.write_text(json.dumps(settings))  # JSON is YAML
    # -P: the module that is installed there, not the one in the folder that the bench is run in.
    return Command([python, "-P", "-m", "dockerproxy", "run", "--config", str(file), "--log-level", "warning"])


def older_build(name: str, python: Path) -> Peer:
    """dockerproxy as it is installed for another interpreter, with the same settings."""
    return Peer(
        name, lambda: _said(str(python), "-P", "-m", "dockerproxy", "--version"), partial(_prepared, str(python))
    )


def _prepared(python: str, site: Site, folder: Path) -> Command:
    return _dockerproxy(site, folder, python)


# nginx

_NGINX = """
{user}worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
  {temporary}
  access_log off;
  server_names_hash_max_size 131072;
  server_names_hash_bucket_size 128;
  keepalive_timeout 75s;
  # The default of 1,000 would make the load reconnect all the time.
  keepalive_requests 1000000000;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream origin {{ {servers} keepalive 512; keepalive_requests 1000000000; }}
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header Connection $connection_upgrade;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $host;
  # Stream, as all others do: no files on disk between client and upstream.
  proxy_max_temp_file_size 0;
  proxy_request_buffering off;
  client_max_body_size 0;
  {blocks}
}}
"""


_NGINX_SERVER = "server {{ listen 127.0.0.1:{listen}; server_name {host}; location / {{ proxy_pass http://origin; }} }}"


def _nginx(site: Site, folder: Path) -> Command:
    # Options of a socket may be given only once.
    listen = [f"{site.port} backlog=4096", *[str(site.port)] * len(site.hosts)]
    blocks = [
        _NGINX_SERVER.format(listen=port, host=host) for port, host in zip(listen, site.hosts or ["_"], strict=False)
    ]
    file = folder / "nginx.conf"
    file.write_text(
        _NGINX.format(
            user=NGINX_USER,
            folder=folder,
            files=site.files,
            connections=site.files - 64,
            temporary=NGINX_TEMPORARY.format(folder=folder, name="nginx"),
            servers=" ".join(f"server {LOOPBACK}:{port};" for port in site.upstreams),
            blocks="\n  ".join(blocks),
        )
    )
    return Command([program("nginx") or "nginx", "-p", str(folder), "-e", "stderr", "-c", str(file)])


# haproxy

_HAPROXY = """
global
  nbthread 1
  maxconn {connections}
defaults
  mode http
  timeout connect 2s
  timeout client 75s
  timeout server 60s
  timeout http-keep-alive 75s
  timeout tunnel 1h
frontend front
  bind {loopback}:{port} backlog 4096
  {choice}
{backends}
"""
_HAPROXY_BACKEND = """backend {name}
  balance roundrobin
  http-reuse always
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  {servers}
"""


def _haproxy(site: Site, folder: Path) -> Command:
    servers = "\n  ".join(f"server s{port} {LOOPBACK}:{port}" for port in site.upstreams)
    names = {host: f"origin-{n}" for n, host in enumerate(site.hosts)} or {"": "origin-0"}
    table = folder / "haproxy.map"
    table.write_text("".join(f"{host} {name}\n" for host, name in names.items() if host))
    choice = f"use_backend %[req.hdr(Host),lower,map({table})]" if site.hosts else "default_backend origin-0"
    file = folder / "haproxy.cfg"
    file.write_text(
        _HAPROXY.format(
            connections=site.files // 2 - 64,
            loopback=LOOPBACK,
            port=site.port,
            choice=choice,
            backends="".join(_HAPROXY_BACKEND.format(name=name, servers=servers) for name in names.values()),
        )
    )
    return Command([program("haproxy") or "haproxy", "-db", "-f", str(file)])


# Caddy


def _caddy(site: Site, folder: Path) -> Command:
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{LOOPBACK}:{port}"} for port in site.upstreams],
        "load_balancing": {"selection_policy": {"policy": "round_robin"}},
        # The default of 32 would make it reconnect with more connections than that.
        "transport": {"protocol": "http", "keep_alive": {"max_idle_conns_per_host": 512}},
    }
    routes: list[dict[str, object]] = [
        {"match": [{"host": [host]}], "handle": [proxy], "terminal": True} for host in site.hosts
    ] or [{"handle": [proxy]}]
    server = {"listen": [f"{LOOPBACK}:{site.port}"], "routes": routes, "automatic_https": {"disable": True}}
    config = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": {"http": {"servers": {"bench": server}}},
    }
    file = folder / "caddy.json"
    file.write_text(json.dumps(config))
    env = {"GOMAXPROCS": "1", "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    return Command([program("caddy") or "caddy", "run", "--config", str(file)], env)


# The aiohttp proxy


def _aiohttp(site: Site, _folder: Path) -> Command:
    return Command([sys.executable, "-m", "bench.aiohttp_proxy", str(site.port), *map(str, site.upstreams)])


DOCKERPROXY = "dockerproxy"
PEERS: Sequence[Peer] = (
    Peer(DOCKERPROXY, lambda: f"dockerproxy {VERSION}, Python {sys.version.split()[0]}", _dockerproxy),
    Peer("nginx", lambda: _said("nginx", "-v"), _nginx),
    Peer("haproxy", lambda: _said("haproxy", "-v"), _haproxy),
    Peer("caddy", lambda: _said("caddy", "version"), _caddy),
    Peer("aiohttp", lambda: f"aiohttp {importlib.metadata.version('aiohttp')}", _aiohttp, has_routes=False),
)
