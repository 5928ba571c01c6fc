"""The documentation: pages for people, and what makes those of them that are generated.

architecture.md, engines.md, labels.md, middlewares.md, settings.md   made by generate.py from templates/ and the code;
                         never edited
engines.json             what engines told, by `make engines`; never edited
all other pages          written by hand
alerts.yaml, grafana-dashboard.json   for Prometheus and Grafana
generate.py              fills the templates with what the others make:
  architecture_pictures.py   the parts and their arrows, from imports.py, which reads the source
  argument_types.py    the module `dockerproxy.settings.arguments`, for checkers of types
  engine_tables.py, label_tables.py, middleware_tables.py, setting_tables.py   tables, written by markdown.py
dashboard_picture.py     draws dashboard.svg, with a browser; performance.md and its picture are written by `bench`
"""
