"""Robustness: bad clients, bad upstreams, large bodies and long tunnels, with good clients served beside them.

site.py        an application with everything that streams; runs as an upstream of its own or as a handler
bystanders.py  good clients that ask on and on while others attack
processes.py   the proxy as a process of its own, to see its memory
conftest.py    the scene, and both ways to the site

Small and fast versions of `bench.attacks`, which measures the same at full size.
"""
