"""Tests against a real Docker engine.

`conftest` asks `tests.support.docker_engine` for an engine and `images` for what runs there (`base_image` makes a
Python image without any registry, `app` is the application on it). `containers` runs and removes containers, `compose`
a whole project; `proxy_process` runs the proxy as a user would; `load` is the strict client. Test modules use these
alone.
"""
