"""Runs the command as `python -m medseg.cli`."""

from __future__ import annotations

import sys

from medseg.cli.app import main

sys.exit(main())
