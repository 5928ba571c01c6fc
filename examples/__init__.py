"""Examples, each to be run from the folder above this one.

blog.yaml    the example of the Go project: three upstreams of which one lives, a page in Python, admin handlers
blog.py      the same in Python
pages.py     the page
upstream.py  the upstream that lives

two-projects/  with Docker: the proxy with settings and a password, and two projects on one external network
https/         an authority of one's own, for trying https
"""
