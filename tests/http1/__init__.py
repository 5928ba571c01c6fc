"""Tests of what is on the wire: byte-level tables through a real proxy, and the sans-I/O parts alone."""
