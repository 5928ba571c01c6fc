"""What commands print: JSON for a program, tables for a person.

output.py     Output: one or the other
  screen.py   Screen: what a person sees, drawn by rich, which is loaded only then
  tables.py   the tables
  trimmed.py  Trimmed: a part of the screen without blanks at the ends of its lines
  explanation.py  what explain tells
phrases.py    times, numbers and names as a person reads them
"""
