"""Admission: which routes may be added, and what containers may claim.

constraints.py  Constraints: which containers may claim which domains, by settings
claims.py       what containers wish, less what the constraints forbid them
middlewares.py  which middlewares there are, and who asks for others
dynamic.py      which routes may be added and removed while the proxy runs
  local_upstreams.py  which of their upstreams may be at addresses of this machine and its link

claims and dynamic call constraints.
"""
