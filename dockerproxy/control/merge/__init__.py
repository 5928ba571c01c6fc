"""Merging: the routes of containers among those that do not depend on any.

merging.py     the routes that containers give, beside those that stand firm
  members.py   CurrentMembers: who is there, and the parts that containers have in routes
  joining.py   what the containers that name one route make of it, remembered from change to change
  former_members.py  containers that have left a route which others go on with, and still have a say in it
  linger.py    Linger: routes that are kept for a while after their last container, and who was refused their places
  handover.py  Handover: when a route whose containers a person has ended gives up its places
  expressions.py how many path expressions containers may have
  namesakes.py how the routes of services of one name in several compose projects are called

merging calls joining; both go by `control.base` and `control.places`.
"""
