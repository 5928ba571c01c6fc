"""The documentation: pages for people, and what makes those of them that are generated.

labels.md, settings.md   made by generate.py from the code; never edited
matching.md, metrics.md  written by hand
alerts.yaml, grafana-dashboard.json   for Prometheus and Grafana
templates/               the hand-written part of the generated pages
generate.py              fills the templates; calls label_tables.py and setting_tables.py, which call markdown.py
"""
