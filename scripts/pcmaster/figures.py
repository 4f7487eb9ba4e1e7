# SPDX-License-Identifier: MIT
"""Samples, their medians, and how a table of them is printed."""

import statistics
from collections import defaultdict


class Table:
    """Samples by name, and their medians."""

    def __init__(self):
        self.samples = defaultdict(list)

    def add(self, value, *name):
        """Takes in one sample."""
        self.samples[name].append(value)

    def median(self, *name):
        """The median of what has that name; None: there is none."""
        return statistics.median(self.samples[name]) if self.samples[name] else None

    def ratio(self, name, peer):
        """A median divided by another one; None if either is missing."""
        value, base = self.median(*name), self.median(*peer)
        return value / base if value is not None and base else None

    def as_json(self):
        """All of it, for a file."""
        return [{"name": list(name), "median": statistics.median(values),
                 "samples": values} for name, values in self.samples.items() if values]


def size(count):
    """Bytes, as people say them."""
    for unit in ("", " KiB"):
        if count < 1024:
            return f"{count}{unit}"
        count //= 1024
    return f"{count} MiB"


def figure(value, places=0):
    """A number for a table; a dash if there is none."""
    return "-" if value is None else f"{value:.{places}f}"


def show(title, heads, rows):
    """Prints a table."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    print(title)
    for row in [heads, *rows]:
        print("  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths)))
    print(flush=True)
