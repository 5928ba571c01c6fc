"""What a person decides while the proxy runs.

operator.py   Operator: drain, bench, weight, maintenance, pause, and back
target.py     Targets: what an operator can mean by a name
overrides.py  Overrides: what has been set

operator calls the other two; the registry is handed to it as whoever keeps them.
"""
