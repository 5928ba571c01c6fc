"""HTTP/1.1: what is on the wire (RFC 9110, RFC 9112). Sans-I/O: no async def, no sockets.

head.py             RequestHead and ResponseHead: what a head says
headers.py          field rules: which fields end here, which are ours to write
framing.py          ChunkedDecoder: where a chunked body ends
previous.py         PreviousRequest and PreviousResponse: the head that came before on a connection
request_parser.py   RequestParser: a whole request head in, a value out
response_parser.py  ResponseParser: the same for responses
field_lines.py      HeadParser: what both have in common: field lines, checked once and remembered
writer.py           heads out: always built anew
editing.py          fields that Python code has changed, among lines that stay as they were

The parsers use field_lines and previous; they, framing and writer use headers and head.
"""
