"""The same as blog.yaml, in Python: a handler is given as the function itself, or by its name.

    python examples/upstream.py &
    python examples/blog.py                 or: dockerproxy run examples.blog:proxy
    open http://blog.localhost:8888/, http://localhost:8888/shop/shoes/red.html, http://root.localhost:8888/statistics

Either command takes `--listen :9000`; the domains of the routes keep their port 8888, which is the one in the
address bar, for example behind a port mapping.
"""

from __future__ import annotations

import argparse
import sys

from dockerproxy import PathRule, Proxy, Route, Upstream
from dockerproxy.web.admin import add_route, remove_route
from dockerproxy.web.statistics import statistics

PAGE = PathRule.regex(r"^/(?P<controller>[a-z0-9-]+)/(?P<module>[a-z0-9-]+)/(?P<site>[a-z0-9]+.(htm|html))$")

proxy = Proxy(
    ":8888",
    [
        Route(
            "blog",
            "blog.localhost:8888",
            upstreams=[
                Upstream("docker 1 - ok", "http://localhost:2368"),
                Upstream("docker 2 - error", "http://localhost:2367"),
                Upstream("docker 3 - error", "http://localhost:2367"),
            ],
        ),
        Route("hello", "localhost:8888", path=PAGE, handler="examples.pages:hello"),
        Route("add", "localhost:8888", path=PathRule.exact("/add"), methods="POST", handler=add_route),
        Route("remove", "localhost:8888", path=PathRule.exact("/remove"), methods="POST", handler=remove_route),
        Route("panel", "root.localhost:8888", path=PathRule.exact("/statistics"), methods="GET", handler=statistics),
    ],
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The blog, a page and the admin handlers, on port 8888.")
    parser.add_argument("--listen", metavar="ADDRESS", action="append", help="such as :9000; default: :8888")
    sys.exit(proxy.run(listen=parser.parse_args().listen))
