"""The dashboard in a real browser: Chromium, against a proxy whose containers run in the embedded engine."""
