# SPDX-License-Identifier: MIT
"""Builds qemu-system-x86_64 with the device, and the device's qtests.

What is ready to run lies in qemu-bin/KEY of the cache, where KEY is made of
everything that went into it. Finding that folder is all a warm start does, and
a run keeps its programs even while another checkout builds others.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pcmaster import debian, overlay, process
from pcmaster.cache import digest, need_space, program_id, remove, write_whole
from pcmaster.ui import Step

SYSTEM = "qemu-system-x86_64"
CONFIGURE = """
    --python=/usr/bin/python3 --target-list=x86_64-softmmu
    --without-default-features --enable-tcg --enable-kvm --enable-fdt=system
    --enable-alsa --enable-pa --enable-trace-backends=log
    --firmwarepath=/usr/share/seabios:/usr/share/qemu
    --disable-docs --disable-install-blobs --disable-download
""".split()
KEPT = 6
NOT_SOURCE = (".git", "__pycache__")


@dataclass(frozen=True)
class Tree:
    """Where QEMU's source comes from and where the cache works on it."""

    home: Path      # folder of the cache: source/ and build-KEY/
    identity: str   # changes with the source, the overlay not counted
    origin: Path    # the person's own tree, or None for Debian's


def ensure(cache):
    """The folder with the programs, built first if need be (lock held)."""
    tree = find_tree(cache)
    build_key = digest(*CONFIGURE, program_id("gcc"), program_id("ninja"))
    key = digest(tree.identity, build_key, *overlay_contents())
    programs = cache.path("qemu-bin", key)
    if programs.is_dir():
        os.utime(programs)
        return programs
    build(cache, tree, build_key, programs)
    return programs


def find_tree(cache, environ=os.environ):
    """The tree that QEMU_SRC names, or else Debian's source package."""
    named = environ.get("QEMU_SRC")
    if not named:
        home = debian.qemu_source(cache)
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


def build(cache, tree, build_key, programs):
    """Compiles the tree with the overlay and keeps the programs."""
    source = tree.home / "source"
    folder = tree.home / f"build-{build_key}"
    if tree.origin:
        mirror(cache, tree.origin, source)
    overlay.apply(source, tree.origin)
    env = process.build_environment(debian.meson_path(cache))
    if not (folder / "configured").is_file():
        configure(cache, source, folder, env)
    tests = qtest_names(source)
    with Step("QEMU with the device") as step:
        process.run_logged(["ninja", SYSTEM, *(f"tests/qtest/{t}" for t in tests)],
                           cache.log("qemu-build"), step, cwd=folder, env=env)
    keep(cache, [folder / SYSTEM, source / "VERSION",
                 *(folder / "tests/qtest" / test for test in tests)], programs)


def mirror(cache, origin, copy):
    """Brings our copy of a person's tree up to date; theirs is only read.

    A file counts as changed by its content, and then has the time it arrived:
    theirs may be older than what was built from the file it replaces.
    """
    need_space(cache.root, debian.QEMU_MIB, "a copy of QEMU_SRC and its build")
    copy.mkdir(parents=True, exist_ok=True)
    fixed = [*build_folders(origin), *(edit.file for edit in overlay.EDITS),
             str(overlay.DEVICE), f"{overlay.QTESTS}/{overlay.QTEST_FILES}"]
    words = ["rsync", "-rlp", "--checksum", "--delete"]
    words += [f"--exclude={pattern}" for pattern in NOT_SOURCE]
    words += [f"--exclude=/{name}" for name in fixed]
    with Step(f"copy of {origin}") as step:
        process.run_logged([*words, f"{origin}/", f"{copy}/"],
                           cache.log("qemu-mirror"), step)


def configure(cache, source, folder, env):
    """Configures a fresh build folder; removes those of older compilers."""
    for old in folder.parent.glob("build-*"):
        remove(old)
    folder.mkdir(parents=True)
    with Step("configuring QEMU") as step:
        process.run_logged([source / "configure", *CONFIGURE],
                           cache.log("qemu-configure"), step, cwd=folder, env=env)
    write_whole(folder / "configured", b"")


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
