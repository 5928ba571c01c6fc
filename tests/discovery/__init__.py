"""Tests of discovery: labels and containers as values, the watcher against the embedded engine."""
