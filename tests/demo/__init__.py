"""Tests of the embedded engine: with the docker SDK over its socket, and from Python."""
