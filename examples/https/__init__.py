"""https with an authority of one's own: see docs/tls.md."""
