# SPDX-License-Identifier: MIT
"""Runs one of the device's qtests on the QEMU that the cache holds."""

import os
import sys

from pcmaster import packages, qemu
from pcmaster.cache import Cache
from pcmaster.ui import command


def main():
    """scripts/python qtest NAME: builds QEMU if need be, becomes the test."""
    name, *arguments = sys.argv[1:]
    cache = Cache()
    with cache.lock():
        packages.ensure(cache)
        programs = qemu.ensure(cache)
    os.environ["QTEST_QEMU_BINARY"] = str(programs / qemu.SYSTEM)
    os.execv(programs / name, [name, "--tap", "-k", *arguments])


if __name__ == "__main__":
    command(main)
