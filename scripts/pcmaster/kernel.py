# SPDX-License-Identifier: MIT
"""Debian's kernels for the Linux guest: fetched, unpacked, and never installed.

    linux-SERIES-RELEASE/
        vmlinux     uncompressed: a third of the time that a boot takes otherwise
        vmlinuz     as Debian has it
        modules/    the kernel's own sound modules, and what one of them needs besides
        headers/    what modules are built against: usr/src and usr/lib of Debian's packages
        tools/      busybox and sparse, which suit any kernel
"""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from pcmaster import kernelimage, packages, process
from pcmaster.cache import need_space, remove
from pcmaster.debian import Apt
from pcmaster.ui import Problem, Step

# The series of kernels, and the suites that hold them, each behind the version of Debian
# from which on it is taken: what it brings for building runs there.
SUITES = {"6.1": {12: "bookworm"}, "6.12": {13: "trixie", 12: "bookworm-backports"}}
SERIES = "6.1"
MIB = 600
PACKAGES = ("zstd",)
MODULES = ("sound", "drivers/input/gameport")      # a sound card's plug is for joysticks, too
# What an older cache may lack.
PARTS = ("vmlinuz", *(f"modules/{part}" for part in MODULES))
HEAD = re.compile(r"^linux-headers-(\d\S*)-amd64$")


@dataclass(frozen=True)
class Kernel:
    """A kernel to boot and to build for."""

    release: str
    vmlinux: Path
    headers: Path       # a folder for make -C
    modules: tuple      # folders that may hold its modules
    tools: Path         # of Debian's busybox-static and sparse
    identity: str = ""  # changes with what is built against it, where the release does not

    def settings(self):
        """What it was configured with: NAME, without CONFIG_, -> y, m or a value."""
        text = (self.headers / "include/config/auto.conf").read_text(errors="replace")
        return {name: value.strip('"')
                for name, value in re.findall(r"^CONFIG_(\w+)=(.*)$", text, re.M)}

    @property
    def hz(self):
        """The kernel's ticks in a second."""
        return int(self.settings()["HZ"])


def debian(cache, series=SERIES):
    """Debian's newest kernel of a series, fetched if there is none yet (lock held)."""
    present = [path.parent for path in cache.root.glob(f"linux-{series}-*/vmlinux")
               if all((path.parent / part).exists() for part in PARTS)]
    home = max(present, key=_version) if present else _fetch(cache, series)
    release = (home / "release").read_text()
    return Kernel(release, home / "vmlinux", _build_folder(home, release),
                  (home / "modules",), tools(cache))


def _version(home):
    """The numbers in a folder's name: -50 is newer than -9."""
    return [int(number) for number in re.findall(r"\d+", home.name)]


def suite(series):
    """The suite that a series is fetched from on this system."""
    *newer, (_, oldest) = SUITES[series].items()
    version = packages.debian_version()
    return next((name for number, name in newer if version >= number), oldest)


def _fetch(cache, series):
    """Fetches and unpacks Debian's packages of a kernel; returns its folder."""
    need_space(cache.root, MIB, f"Debian's Linux {series}")
    log = cache.log(f"linux-{series}")
    with Step(f"Linux {series} of Debian") as step, cache.scratch() as work:
        apt = Apt(cache, log, step, suite(series))
        apt.update("deb")
        release, names = _packages(apt, series)
        apt.run("download", *names, cwd=work)
        home = work / "home"
        for package in sorted(work.glob("*.deb")):
            _unpack(package, home, log, step)
        image = home / f"boot/vmlinuz-{release}"
        (home / "vmlinux").write_bytes(kernelimage.uncompressed(image.read_bytes(), image))
        (home / "release").write_text(release)
        image.rename(home / "vmlinuz")
        remove(home / "boot")
        final = cache.path(f"linux-{series}-{release}")
        _settle(home, release, final)
        remove(final)
        home.rename(final)
    return final


def _packages(apt, series):
    """The newest release of a series, and the packages of it."""
    heads = [name for name in apt.depends("linux-headers-amd64")
             if HEAD.match(name) and name.startswith(f"linux-headers-{series}.")]
    if not heads:
        raise Problem(f"Debian's {apt.suite} holds no Linux {series} any more.")
    release = f"{HEAD.match(heads[-1])[1]}-amd64"
    parts = [name for name in apt.depends(heads[-1])
             if re.match(r"linux-(headers|kbuild|compiler)-", name)]
    return release, [f"linux-image-{release}", heads[-1], *parts]


def _unpack(package, home, log, step):
    """Unpacks what is needed of a package: of the image, the kernel and some modules."""
    whole = package.parent / f"{package.name}.d"
    process.run_logged(["dpkg-deb", "-x", package, whole], log, step)
    for part, root in itertools.product(MODULES, ("lib", "usr/lib")):
        for folder in whole.glob(f"{root}/modules/*/kernel/{part}"):
            target = home / "modules" / part
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(target)
    remove(whole / "usr/lib/modules")       # the rest of them, from Debian 13 on
    kept = {"boot": "boot", "usr": "headers/usr"}
    for name, place in kept.items():
        if (whole / name).is_dir():
            target = home / place
            target.parent.mkdir(parents=True, exist_ok=True)
            process.run_logged(["cp", "-a", f"{whole / name}/.", f"{target}/"]
                               if target.is_dir() else ["cp", "-a", whole / name, target],
                               log, step)
    remove(whole)


def _build_folder(home, release):
    return home / f"headers/usr/src/linux-headers-{release}"


def _settle(home, release, final):
    """Makes the headers work at their place, which is not /usr/src.

    Without the types of the kernel nobody asks for pahole, which makes modules'.
    """
    build = _build_folder(home, release)
    common = _build_folder(final, release.removesuffix("amd64") + "common")
    (build / "Makefile").write_text(f"include {common}/Makefile\n")
    remove(build / "vmlinux")


def tools(cache):
    """Debian's busybox-static and sparse, unpacked in a folder (lock held)."""
    final = cache.path("linux-tools")
    if final.is_dir():
        return final
    log = cache.log("linux-tools")
    with Step("busybox and sparse of Debian") as step, cache.scratch() as work:
        apt = Apt(cache, log, step, suite(SERIES))
        apt.update("deb")
        apt.run("download", "busybox-static", "sparse", cwd=work)
        for package in work.glob("*.deb"):
            process.run_logged(["dpkg-deb", "-x", package, work / "files"], log, step)
        (work / "files").rename(final)
    return final


def checkpatch(cache):
    """The kernel's own style checker, which comes with its source only."""
    final = cache.path("linux-checkpatch")
    if final.is_dir():
        return final / "checkpatch.pl"
    log = cache.log("linux-checkpatch")
    with Step("Linux's checkpatch") as step, cache.scratch() as work:
        apt = Apt(cache, log, step, suite(SERIES))
        apt.update("deb")
        apt.run("download", f"linux-source-{SERIES}", cwd=work)
        (work / "files").mkdir()
        names = ("checkpatch.pl", "spelling.txt", "const_structs.checkpatch")
        process.run_logged(
            ["sh", "-c", 'dpkg-deb --fsys-tarfile "$0"*.deb | tar -xO --wildcards '
             '"*/linux-source-*.tar.xz" | tar -xJ -C "$1" --strip-components=2 '
             + " ".join(f"linux-source-{SERIES}/scripts/{name}" for name in names),
             f"{work}/linux-source-{SERIES}", work / "files"], log, step)
        (work / "files").rename(final)
    return final / "checkpatch.pl"
