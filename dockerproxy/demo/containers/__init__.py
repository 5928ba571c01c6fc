"""The demo's containers: web servers in this process, and every act on them.

containers.py   Containers: all containers and networks, and every act on them, with its events
  container.py  Container: state and life of one
    servers.py  what listens for a container: WebServer, ClosedPort, Elsewhere; answers.py: what it says
  networks.py   Network, Endpoint
  signals.py    names and numbers of signals
"""
