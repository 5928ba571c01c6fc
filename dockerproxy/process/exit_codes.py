"""The exit codes of the command line."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1  # it could not be done, and it was said why
EXIT_USAGE = 2  # the command line is wrong; argparse's own
