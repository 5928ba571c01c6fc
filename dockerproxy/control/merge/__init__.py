"""Merging: the routes of all sources, and who has which place.

merging.py     the routes that containers give, beside those that stand firm
  members.py   CurrentMembers: who is there, and the parts that containers have in routes
  joining.py   what the containers that name one route make of it, remembered from change to change
  former_members.py  containers that have left a route which others go on with, and still have a say in it
  linger.py    Linger: routes that are kept for a while after their last container, and who was refused their places
  handover.py  Handover: when a route whose containers a person has ended gives up its places
  namesakes.py how the routes of services of one name in several compose projects are called
base.py        Base: the routes that do not depend on containers, clashes among them settled
  static.py    routes as a person writes them -> Route; pages of domains
    python_routes.py  those given in Python, by the same rules
    handler_keys.py   what handlers are called by
  builtin.py   the admin routes that are there without being asked for
places.py      Places: which domain, path and method is taken, and by whom

merging calls joining; merging and base call places; base calls static and builtin.
"""
