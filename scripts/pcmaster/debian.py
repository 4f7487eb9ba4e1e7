# SPDX-License-Identifier: MIT
"""QEMU's source and a meson for it, from Debian, without touching apt's set-up.

The mirror is the one that apt is configured for. The suite is read through a
private list and a private folder, and apt verifies it with Debian's keyring as
it verifies everything: Release file, index, then each file's checksum.
"""

import os
import re
from pathlib import Path

from pcmaster import packages, process
from pcmaster.cache import need_space
from pcmaster.ui import Problem, Step

# The suites of Debian that hold the series of QEMU known to work.
SUITES = {"10.0": "trixie", "10.2": "sid"}
SERIES = "10.0"
NEWEST = "sid"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
QEMU_MIB = 1300
MESON_NEEDED = (1, 5)
MESON_MODULES = Path("usr/lib/python3/dist-packages")


def qemu_source(cache, series=SERIES):
    """The folder qemu-VERSION of the cache, whose source/ is QEMU's source."""
    present = sorted(cache.root.glob(f"qemu-{series}.*/source"), key=_version)
    if present:
        return present[-1].parent
    if series not in SUITES:
        raise Problem(f"QEMU {series} is none of those that this fetches "
                      f"({', '.join(SUITES)}). QEMU_SRC=DIR builds any tree.")
    need_space(cache.root, QEMU_MIB, "QEMU's source and build")
    log = cache.log("qemu-source")
    with Step(f"source of QEMU {series}") as step, cache.scratch() as work:
        apt = Apt(cache, log, step, SUITES[series])
        apt.update("deb-src")
        version = apt.fetch_newest("qemu", work, series=series)
        process.run_logged(["dpkg-source", "-x", _only(work, "*.dsc"),
                            work / "source"], log, step)
        final = cache.path(f"qemu-{upstream(version)}")
        final.mkdir(exist_ok=True)
        (work / "source").rename(final / "source")
    return final


def checkpatch(cache):
    """The style checker of the newest QEMU that Debian has."""
    present = sorted(cache.root.glob("checkpatch-*/checkpatch.pl"), key=_version)
    if present:
        return present[-1]
    log = cache.log("checkpatch")
    with Step("QEMU's newest checkpatch") as step, cache.scratch() as work:
        apt = Apt(cache, log, step, NEWEST)
        apt.update("deb-src")
        newest = apt.fetch_newest("qemu", work, "--tar-only")
        files = work / "files"
        files.mkdir()
        process.run_logged(["tar", "-xf", _only(work, "*.orig.tar.*"), "-C", files,
                            "--strip-components=2", "--wildcards",
                            "*/scripts/checkpatch.pl"], log, step)
        final = cache.path(f"checkpatch-{upstream(newest)}")
        files.rename(final)
    return final / "checkpatch.pl"


def upstream(version):
    """A Debian version without its epoch, as file names have it."""
    return version.rpartition(":")[2]


def meson_path(cache):
    """A folder for PYTHONPATH that holds a meson QEMU accepts; None: the system's."""
    system = process.output(["/usr/bin/meson", "--version"]) or "0"
    if tuple(int(n) for n in re.findall(r"\d+", system)[:2]) >= MESON_NEEDED:
        return None
    present = sorted(cache.root.glob("meson-*"), key=_version)
    if present:
        return present[-1] / MESON_MODULES
    log = cache.log("meson")
    with Step(f"meson from Debian's {SUITES[SERIES]}") as step, \
            cache.scratch() as work:
        apt = Apt(cache, log, step, SUITES[SERIES])
        apt.update("deb")
        apt.run("download", "meson", cwd=work)
        package = _only(work, "*.deb")
        process.run_logged(["dpkg-deb", "-x", package, work / "files"], log, step)
        final = cache.path(f"meson-{package.name.split('_')[1]}")
        (work / "files").rename(final)
    return final / MESON_MODULES


class Apt:
    """apt-get on one suite of Debian, with lists and a cache of its own."""

    def __init__(self, cache, log, step, suite):
        self.log, self.step, self.suite = log, step, suite
        self.root = cache.path("apt", suite)
        for name in ("lists/partial", "cache/archives/partial"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        # What is installed here, of a newer version perhaps, is none of the suite's.
        (self.root / "status").touch()
        self.options = ["-o", f"Dir::Etc::SourceList={self.root}/sources.list",
                        "-o", "Dir::Etc::SourceParts=/dev/null",
                        "-o", f"Dir::State::Lists={self.root}/lists",
                        "-o", f"Dir::State::Status={self.root}/status",
                        "-o", f"Dir::Cache={self.root}/cache",
                        "-o", "Acquire::Languages=none"]
        if os.geteuid() == 0:
            self.options += ["-o", "APT::Sandbox::User=root"]

    def update(self, kind):
        """Reads the suite's index of sources (deb-src) or of packages (deb)."""
        address = mirror()
        if address is None:
            packages.update(self.log, self.step)
            address = mirror()
        if address is None:
            raise Problem("apt knows no Debian mirror: add one to its "
                          "configuration, then run 'apt-get update'.")
        (self.root / "sources.list").write_text(
            f"{kind} [signed-by={KEYRING}] {address} {self.suite} main\n")
        self.run("update", "-o", "APT::Update::Error-Mode=any")

    def fetch_newest(self, name, folder, *words, series=""):
        """Fetches the newest source of a package; returns its version.

        A mirror may lack what its index has; then it is the next older one.
        """
        problem = Problem(f"Debian's {self.suite} does not hold {name} {series}: "
                          "QEMU_SRC=DIR builds a tree that you have.")
        for version in reversed(self.versions(name)):
            if not upstream(version).startswith(series and f"{series}."):
                continue
            try:
                self.run("source", "--download-only", "--only-source", *words,
                         f"{name}={version}", cwd=folder)
                return version
            except process.Failed as failed:
                problem = failed
        raise problem

    def versions(self, name):
        """The versions of a source package, the newest last."""
        shown = process.output(["apt-cache", *self.options, "showsrc",
                                "--only-source", name]) or ""
        return sorted(re.findall(r"^Version: (\S+)$", shown, re.M),
                      key=lambda text: _numbers(upstream(text)))

    def depends(self, name):
        """The packages that a package depends on, in the suite's index."""
        shown = process.output(["apt-cache", *self.options, "depends", name]) or ""
        return re.findall(r"^ [ |]?Depends: (\S+)$", shown, re.M)

    def run(self, *words, cwd=None):
        """Runs apt-get with those words."""
        process.run_logged(["apt-get", *self.options, *words], self.log,
                           self.step, cwd=cwd)


def mirror():
    """The address of the Debian mirror in the lists that apt holds, or None."""
    listing = process.output(["apt-get", "indextargets", "--format",
                              "$(ORIGIN)|$(LABEL)|$(REPO_URI)"])
    for line in (listing or "").splitlines():
        origin, label, address = line.split("|", 2)
        if origin == label == "Debian":
            return address
    return None


def _only(folder, pattern):
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise Problem(f"{len(found)} files {pattern} in {folder}: expected one.")
    return found[0]


def _version(path):
    """Orders the folders NAME-VERSION by their numbers."""
    return _numbers(path.as_posix())


def _numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]
