"""Explanations: why a container is routed or not, and where a request would go.

container.py   the explanation of one container; label_uses.py: what became of each of its labels
request.py     the explanation of one request; candidates.py: the routes that come near it, and why not each
lookup.py      which container a person means
advice.py      what to do about a reason
reachability.py  what trying to connect adds
obstacle.py    what keeps requests from a route or an upstream
evidence.py    Evidence: all that is known at one moment

container and request call the others; all of them go by an Evidence.
"""
