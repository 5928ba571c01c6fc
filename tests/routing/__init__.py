"""Tests of dockerproxy.routing: no I/O, the clock is a number."""
