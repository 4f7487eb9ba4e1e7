# SPDX-License-Identifier: MIT
"""Keeps what the device's migration stream looked like, to hold it to that.

tests/instruments/vmstate-N.json is the device's part of QEMU's -dump-vmstate
for version N of its state. Run as a program this writes the file of today's
version: after the version was raised, or for a version that nobody has used.
"""

import argparse
import json
import tempfile
from pathlib import Path

from pcmaster import CHECKOUT, packages, process, qemu
from pcmaster.cache import Cache, write_whole
from pcmaster.ui import Problem, command

DEVICE = "pcmaster"
RECORDS = CHECKOUT / "tests/instruments"
MACHINE = "q35"


def dump(programs):
    """The description of the device's state in that QEMU."""
    with tempfile.TemporaryDirectory(prefix="pcmaster-") as folder:
        path = Path(folder, "vmstate.json")
        done = process.output([programs / qemu.SYSTEM, "-machine", MACHINE,
                               "-display", "none", "-dump-vmstate", path])
        if done is None or not path.is_file():
            raise Problem("QEMU wrote no description of its migration stream.")
        return json.loads(path.read_text())[DEVICE]


def versions(state):
    """The versions that a description accepts: (oldest, its own)."""
    described = state["Description"]
    return described["minimum_version_id"], described["version_id"]


def record(version):
    """Where the description of that version is kept."""
    return RECORDS / f"vmstate-{version}.json"


def recorded(oldest):
    """The versions that are kept, from oldest on."""
    kept = (int(path.stem.rpartition("-")[2]) for path in RECORDS.glob("vmstate-*.json"))
    return sorted(version for version in kept if version >= oldest)


def as_dump(state):
    """A description as QEMU's checker reads it."""
    return json.dumps({DEVICE: state}, indent=1) + "\n"


def main():
    """The command line: records today's version."""
    parser = argparse.ArgumentParser(
        prog="scripts/python vmstate", description="Writes the description of the "
        "device's migration stream into tests/instruments, for its present version.")
    parser.parse_args()
    cache = Cache()
    with cache.lock():
        packages.ensure(cache)
        programs = qemu.ensure(cache)
    state = dump(programs)
    path = record(versions(state)[1])
    write_whole(path, as_dump(state).encode())
    print(path)
    return 0


if __name__ == "__main__":
    command(main)
