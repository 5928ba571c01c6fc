"""Middlewares: what is shipped, one in each module, and the registry of names.

A middleware is `async (request, call_next) -> response`; docs/middlewares.md says how to write one. Those here are
classes with a model of their `Options`; an instance keeps nothing of a request.
"""
