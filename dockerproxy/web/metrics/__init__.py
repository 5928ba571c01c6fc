"""Metrics: GET /metrics, for Prometheus and what reads its formats.

endpoint.py          metrics: the admin handler
exposition.py        Exposition: families -> text, in slices between which the proxy serves on
family.py            Family: name, kind, help and labels of a metric, and how its values are read
scrape.py            Scrape: what one request for metrics looks at
about_proxy.py       the families about the proxy itself
about_routes.py      … about routes
about_upstreams.py   … about upstreams
about_discovery.py   … about the engine and its containers

Calls run from endpoint over exposition and the families down to scrape. Values are read when somebody asks; nothing
here is called by the data plane. Labels come from the table, never from a client.
"""
