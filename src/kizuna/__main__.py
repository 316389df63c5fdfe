"""`python -m kizuna` is `kizuna`."""

from __future__ import annotations

import sys

from kizuna.cli import main

if __name__ == "__main__":
    sys.exit(main())
