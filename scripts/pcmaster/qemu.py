# SPDX-License-Identifier: MIT
"""Builds qemu-system-x86_64 with the device, and the tests that drive it.

What is ready to run lies in qemu-bin/KEY of the cache, where KEY is made of
everything that went into it. Finding that folder is all a warm start does, and
a run keeps its programs even while another checkout builds others.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pcmaster import debian, overlay, process
from pcmaster.cache import (digest, is_configured, need_space, note_configured,
                            program_id, remove)
from pcmaster.ui import Step

SYSTEM = "qemu-system-x86_64"
CONFIGURE = """
    --python=/usr/bin/python3 --target-list=x86_64-softmmu
    --without-default-features --enable-tcg --enable-kvm --enable-fdt=system
    --enable-alsa --enable-pa --enable-trace-backends=log
    --firmwarepath=/usr/share/seabios:/usr/share/qemu:/usr/lib/ipxe/qemu
    --disable-docs --disable-install-blobs --disable-download
""".split()
KEPT = 12
BUILD_MIB = 900
NOT_SOURCE = (".git", "__pycache__")
# QEMU's own tests that look at every device; they judge ours unchanged.
INSTRUMENTS = ("device-introspect-test", "qom-test", "test-hmp")


@dataclass(frozen=True)
class Kind:
    """A way to build QEMU: its name, and what configure is told besides."""

    name: str
    about: str
    options: tuple = ()


PLAIN = Kind("plain", "QEMU with the device")
# Only the device is measured: a counter in each of QEMU's files would make
# every end of a QEMU write 1500 files.
SANITIZED = Kind("sanitized", "QEMU with sanitizers and coverage", (
    "--enable-asan", "--enable-ubsan", "--disable-debug-info",
    "--extra-cflags=-g1 --coverage -fprofile-filter-files=hw/audio/pcmaster/",
    "--extra-ldflags=--coverage"))
# Warnings are no errors there: a change may well leave a variable unused.
MUTABLE = Kind("mutable", "QEMU to change the device in", (
    "--disable-debug-info", "--disable-werror"))
KINDS = {kind.name: kind for kind in (PLAIN, SANITIZED, MUTABLE)}


@dataclass(frozen=True)
class Tree:
    """Where QEMU's source comes from and where the cache works on it."""

    home: Path      # folder of the cache: source/ and build-KEY/
    identity: str   # changes with the source, the overlay not counted
    origin: Path    # the person's own tree, or None for Debian's


def ensure(cache, kind=PLAIN, series=None):
    """The folder with the programs, built first if need be (lock held)."""
    tree = find_tree(cache, series=series)
    key = digest(tree.identity, build_key(kind), *overlay_contents())
    programs = cache.path("qemu-bin", key)
    if programs.is_dir():
        os.utime(programs)
        return programs
    build(cache, tree, kind, programs)
    return programs


def build_key(kind):
    """Tells one build folder of a tree from another."""
    return digest(*CONFIGURE, *kind.options, program_id("gcc"), program_id("ninja"))


def find_tree(cache, environ=os.environ, series=None):
    """Debian's source of a series, or else what the environment names.

    That is the tree QEMU_SRC, or Debian's source of the series QEMU_SERIES;
    without either it is Debian's source of the default series.
    """
    named = environ.get("QEMU_SRC")
    if series or not named:
        home = debian.qemu_source(
            cache, series or environ.get("QEMU_SERIES") or debian.SERIES)
        return Tree(home, home.name, None)
    origin = Path(named).resolve()
    overlay.check_tree(origin)
    return Tree(cache.path(f"mirror-{digest(origin)}"), fingerprint(origin), origin)


def fingerprint(root):
    """A key of a tree's names, sizes and times, which rsync goes by as well."""
    skipped = {root / name for name in build_folders(root)}
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in NOT_SOURCE
                            and Path(folder, name) not in skipped)
        for name in sorted(files):
            status = os.lstat(os.path.join(folder, name))
            found.append(f"{folder}/{name} {status.st_size} {status.st_mtime_ns}")
    return digest(root, *found)


def build_folders(root):
    """The names of the folders in a tree that somebody builds in."""
    return [path.name for path in root.iterdir()
            if path.is_dir() and (path.name == "build"
                                  or (path / "build.ninja").exists())]


def overlay_contents():
    """Everything that the overlay puts into a tree, for a key."""
    for name, source in overlay.our_files().items():
        yield name
        yield source.read_bytes()
    yield repr(overlay.EDITS)


def build(cache, tree, kind, programs):
    """Compiles the tree with the overlay and keeps the programs."""
    source = tree.home / "source"
    if tree.origin:
        mirror(cache, tree.origin, source)
    overlay.apply(source, tree.origin)
    folder = configured(cache, source, kind)
    tests = [*qtest_names(source), *INSTRUMENTS]
    compile_in(cache, folder, kind.about, SYSTEM,
               *(f"tests/qtest/{test}" for test in tests))
    keep(cache, [folder / SYSTEM, source / "VERSION", *notes(folder),
                 *(folder / "tests/qtest" / test for test in tests)], programs)


def compile_in(cache, folder, about, *targets):
    """Has ninja make targets in a configured folder; Failed if one fails."""
    env = process.build_environment(debian.meson_path(cache))
    with Step(about) as step:
        process.run_logged(["ninja", *targets], cache.log("qemu-build"), step,
                           cwd=folder, env=env)


def notes(folder):
    """What gcov needs to know about the device, where a build counts lines."""
    return folder.glob(f"*.p/{overlay.DEVICE.as_posix().replace('/', '_')}_*.gcno")


def mirror(cache, origin, copy):
    """Brings our copy of a person's tree up to date; theirs is only read.

    A file counts as changed by its content, and then has the time it arrived:
    theirs may be older than what was built from the file it replaces.
    """
    need_space(cache.root, debian.QEMU_MIB, "a copy of QEMU_SRC and its build")
    copy.mkdir(parents=True, exist_ok=True)
    fixed = [*build_folders(origin), *(edit.file for edit in overlay.EDITS),
             str(overlay.DEVICE), f"{overlay.QTESTS}/{overlay.QTEST_FILES}",
             f"{overlay.FUZZ}/{overlay.FUZZ_FILES}"]
    words = ["rsync", "-rlp", "--checksum", "--delete"]
    words += [f"--exclude={pattern}" for pattern in NOT_SOURCE]
    words += [f"--exclude=/{name}" for name in fixed]
    with Step(f"copy of {origin}") as step:
        process.run_logged([*words, f"{origin}/", f"{copy}/"],
                           cache.log("qemu-mirror"), step)


def configured(cache, source, kind):
    """The build folder beside a source, made if it is not there yet.

    Those that older compilers or options left are removed.
    """
    folder = source.parent / f"build-{kind.name}-{build_key(kind)}"
    if is_configured(folder):
        return folder
    need_space(cache.root, BUILD_MIB, "a build of QEMU")
    for old in source.parent.glob(f"build-{kind.name}-*"):
        remove(old)
    folder.mkdir()
    with Step(f"configuring {kind.about}") as step:
        process.run_logged([source / "configure", *CONFIGURE, *kind.options],
                           cache.log("qemu-configure"), step, cwd=folder,
                           env=process.build_environment(debian.meson_path(cache)))
    note_configured(folder)
    return folder


def qtest_names(source):
    """The qtest programs that the overlay adds."""
    return sorted(path.stem for path in (source / overlay.QTESTS).glob("pcmaster-*test.c"))


def keep(cache, files, programs):
    """Copies files to their place; drops the sets that no run used lately."""
    with cache.scratch() as work:
        for file in files:
            shutil.copy2(file, work)
        work.chmod(0o755)
        programs.parent.mkdir(exist_ok=True)
        work.rename(programs)
    kept = sorted(programs.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in kept[:-KEPT]:
        remove(old)
