"""`python -m dockerproxy`: the same as the command `dockerproxy`."""

import sys

from dockerproxy.cli import main

if __name__ == "__main__":
    sys.exit(main())
