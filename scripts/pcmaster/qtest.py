# SPDX-License-Identifier: MIT
"""Runs one of QEMU's test programs on the QEMU that the cache holds."""

import argparse
import os

from pcmaster import packages, qemu
from pcmaster.cache import Cache
from pcmaster.ui import command


def main():
    """The command line: builds QEMU if need be, becomes the test."""
    parser = argparse.ArgumentParser(
        prog="scripts/python qtest", description="Runs one of QEMU's test programs "
        "on QEMU with the device; further arguments are the program's own.")
    parser.add_argument("--series", metavar="N.M", help="of QEMU, for 10.0 or QEMU_SRC")
    parser.add_argument("name")
    options, arguments = parser.parse_known_args()
    cache = Cache()
    with cache.lock():
        packages.ensure(cache)
        programs = qemu.ensure(cache, series=options.series)
    os.environ["QTEST_QEMU_BINARY"] = str(programs / qemu.SYSTEM)
    os.execv(programs / options.name, [options.name, "--tap", "-k", *arguments])


if __name__ == "__main__":
    command(main)
