"""Access log: one line per request on standard output, in the combined format or as JSON.

lines.py      Record -> one line of text
redaction.py  what must not stand in a log
writer.py     AccessLog: takes records from the data plane and writes them without making it wait

Calls run from the writer down. What a record is belongs to the data plane (proxy.record).
"""

from dockerproxy.access_log.writer import AccessLog

__all__ = ["AccessLog"]
