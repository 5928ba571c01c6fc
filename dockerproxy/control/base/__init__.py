"""The routes that do not depend on containers.

base.py        Base: those of settings, programs and operators, clashes among them settled
  static.py    routes as a person writes them -> Route; pages of domains
    python_routes.py  those given in Python, by the same rules
  builtin.py   the admin routes that are there without being asked for
handler_keys.py  what handlers are called by

Calls run from base down.
"""
