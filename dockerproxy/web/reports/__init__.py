"""What the admin handlers tell, made ready.

feed.py       Feed: makes each report once, for all who listen
history.py    what happened on each route in the last minute
overrides.py  what an operator has set, as reports tell of it
parts.py      a report in JSON, made a few items at a time
probe.py      tries to connect, for explanations
times.py      how a time is written in JSON
"""
