# SPDX-License-Identifier: MIT
"""Builds the guest side of the checkout and finds its images."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from pcmaster import CHECKOUT, process
from pcmaster.cache import (digest, is_configured, need_space, note_configured,
                            program_id, remove, tree_digest, write_whole)
from pcmaster.ui import Problem, Step

SOURCES = ("meson.build", "meson_options.txt", "guest-driver", "tests", "hw/audio/pcmaster")
COMPILERS = ("gcc", "x86_64-w64-mingw32-gcc", "meson", "ninja")
IMAGES = {
    "boot": "guest-driver/executive/boot.elf",
    "ntoskrnl.exe": "guest-driver/executive/ntoskrnl.exe",
    "hal.dll": "guest-driver/executive/hal.dll",
    "portcls.sys": "guest-driver/executive/portcls.sys",
    "client.sys": "guest-driver/executive/client.sys",
    "driver.sys": "guest-driver/windows/pcmaster.sys",
    "faulty.sys": "guest-driver/windows/pcmaster-faulty.sys",
    "edu.sys": "guest-driver/edu/edu.sys",
    "sb16.sys": "guest-driver/sb16/sb16.sys",
    "exercises": "guest-driver/exercises/pcmaster-exercises",
    "host": "guest-driver/linux/user/pcmaster-host",
}
BUILD_MIB = 100


@dataclass(frozen=True)
class Guest:
    """A built guest: where each image is, and what there is to run."""

    folder: Path    # where meson built it
    images: dict    # key of IMAGES -> Path
    exercises: list  # of {"name", "about"}
    faults: list    # of {"name", "rule", "about"}: for the device to catch
    mistakes: list  # likewise, for the guest's verifier


def ensure(cache, environ=os.environ):
    """Builds the guest if anything in it changed (lock held).

    PCMASTER_BUILD names a meson build folder whose images are taken as they
    are; the tests of that folder use it.
    """
    if environ.get("PCMASTER_BUILD"):
        return load(Path(environ["PCMASTER_BUILD"]))
    folder = build_folder(cache)
    stamp = folder / "pcmaster-built"
    key = digest(tree_digest(CHECKOUT, SOURCES), *map(program_id, COMPILERS))
    if not stamp.is_file() or stamp.read_text() != key:
        build(cache, folder)
        write_whole(stamp, key.encode())
    return load(folder)


def build_folder(cache):
    """Where this checkout's guest is built."""
    return cache.path(f"checkout-{digest(CHECKOUT)}", "build")


def build(cache, folder):
    """Configures the folder if it is fresh, and compiles everything in it."""
    need_space(cache.root, BUILD_MIB, "building the guest")
    env = process.build_environment()
    log = cache.log("guest-build")
    with Step("guest") as step:
        if not is_configured(folder):
            forget_lost_checkouts(cache)
            remove(folder)
            folder.parent.mkdir(exist_ok=True)
            write_whole(folder.parent / "checkout", str(CHECKOUT).encode())
            process.run_logged(["meson", "setup", folder, CHECKOUT], log, step, env=env)
            note_configured(folder)
        process.run_logged(["ninja", "-C", folder], log, step, env=env)


def forget_lost_checkouts(cache):
    """Removes what was built for checkouts that are no longer there."""
    for path in cache.root.glob("checkout-*/checkout"):
        if not Path(path.read_text()).is_dir():
            remove(path.parent)


def load(folder):
    """The images of a build folder and the table of exercises and faults."""
    images = {key: folder / name for key, name in IMAGES.items()}
    for path in images.values():
        if not path.is_file():
            raise Problem(f"the build made no {path}")
    listing = process.output([images["exercises"], "--list"])
    if listing is None:
        raise Problem(f"{images['exercises']} --list failed")
    table = json.loads(listing)
    return Guest(folder, images, table["exercises"], table["faults"],
                 table["mistakes"])
