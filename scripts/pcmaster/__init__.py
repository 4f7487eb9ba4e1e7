# SPDX-License-Identifier: MIT
"""What scripts/run, scripts/test and scripts/overlay are made of."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
