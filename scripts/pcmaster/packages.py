# SPDX-License-Identifier: MIT
"""The Debian packages that building and testing need, and how to get them."""

import contextlib
import os
import platform
import shutil
import sys

from pcmaster import process
from pcmaster.cache import need_space
from pcmaster.ui import Problem, Step

NEEDED = """
    alsa-utils bison debian-archive-keyring dpkg-dev flex gcc
    gcc-mingw-w64-x86-64-win32 ipxe-qemu libasound2-dev libc6-dev
    libcmocka-dev libfdt-dev libglib2.0-dev libpixman-1-dev libpulse-dev make
    meson ninja-build perl pkg-config python3 python3-distlib python3-venv
    qemu-system-data rsync seabios zlib1g-dev
""".split()
INSTALL = ["apt-get", "install", "-y", "--no-install-recommends"]
INSTALLED_MIB = 1200
OLDEST_DEBIAN = 12


def ensure(cache, more=()):
    """Installs what is missing, after naming it.

    more: packages that only a part of the tests needs.
    """
    missing = find_missing(more)
    if not missing:
        return
    check_system()
    print("These Debian packages are missing and will be installed:\n  "
          + " ".join(missing), file=sys.stderr)
    prefix = as_root()
    if prefix is None:
        raise Problem("neither root nor sudo here. Run this as root:\n"
                      "  apt-get update && " + " ".join(INSTALL + missing))
    need_space("/", INSTALLED_MIB, "installing the packages")
    log = cache.log("packages")
    with Step("Debian packages") as step:
        update(log, step)
        process.run_logged(prefix + INSTALL + missing, log, step, shielded=True)


def update(log, step):
    """Refreshes apt's lists; a source that fails may not be one we need."""
    prefix = as_root()
    if prefix is not None:
        with contextlib.suppress(process.Failed):
            process.run_logged([*prefix, "apt-get", "update"], log, step,
                               shielded=True)


def find_missing(more=()):
    """Those of the needed packages, and of some more, that are not installed."""
    listing = process.output(["dpkg-query", "--show", "--showformat",
                              "${db:Status-Status} ${Package}\n"])
    if listing is None:
        raise Problem("dpkg-query is missing: this needs Debian "
                      f"{OLDEST_DEBIAN} or later.")
    installed = {line.partition(" ")[2] for line in listing.splitlines()
                 if line.startswith("installed ")}
    return [name for name in [*NEEDED, *more] if name not in installed]


def check_system():
    """Raises Problem on a system whose packages would not serve."""
    if platform.machine() != "x86_64":
        raise Problem(f"this needs an x86-64 machine, not {platform.machine()}.")
    if debian_version() < OLDEST_DEBIAN:
        raise Problem("packages are missing, and this installs them on Debian "
                      f"{OLDEST_DEBIAN} or later only. Missing here:\n  "
                      + " ".join(find_missing()))


def debian_version():
    """This Debian's number; testing and unstable have none yet, other systems are 0."""
    release = platform.freedesktop_os_release()
    if release.get("ID") != "debian":
        return 0
    return float(release.get("VERSION_ID") or "inf")


def as_root():
    """The words before apt-get, so that it may install; None: there is no way."""
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    if os.geteuid() == 0:
        return quiet
    return ["sudo", *quiet] if shutil.which("sudo") else None
