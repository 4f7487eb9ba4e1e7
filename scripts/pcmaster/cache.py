# SPDX-License-Identifier: MIT
"""The folder outside the checkout that keeps what is costly to make.

    lock                    held while anything below changes
    logs/                   what the last builds printed
    tmp/                    half-made things; emptied whenever the lock is taken
    apt/, meson-*/          Debian's lists for the source; a meson for QEMU
    checkpatch-VERSION/     the style checker of the newest QEMU
    qemu-VERSION/source     QEMU as Debian ships it, with the overlay
    mirror-KEY/source       the same for a person's own tree (QEMU_SRC)
    .../build-KIND-KEY      where that is compiled
    .../mutation/           a copy of source/ to break the device in, and its build
    qemu-bin/KEY            programs ready to run, named by what went into them
    checkout-KEY/           what belongs to one checkout: build/, the guest
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from pcmaster.ui import Problem

MIB = 1 << 20
CONFIGURED = "pcmaster-configured"
LATELY_S = 3600     # longer than a suite of tests takes


def cache_root(environ=os.environ):
    """Where the cache is, by PCMASTER_CACHE, XDG_CACHE_HOME or the home."""
    if environ.get("PCMASTER_CACHE"):
        return Path(environ["PCMASTER_CACHE"]).absolute()
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "pcmaster"


class Cache:
    """The cache folder; what is named below it exists only when complete."""

    def __init__(self, root=None):
        self.root = Path(root) if root else cache_root()
        try:
            for name in ("logs", "tmp"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Problem(f"no cache folder: {error}\n  PCMASTER_CACHE=DIR "
                          "names another place.") from error

    def path(self, *names):
        """A path below the cache."""
        return self.root.joinpath(*names)

    def log(self, name):
        """A fresh log file of that name."""
        path = self.path("logs", f"{name}.log")
        path.write_bytes(b"")
        return path

    @contextlib.contextmanager
    def lock(self):
        """Keeps other runs from changing the cache at the same time."""
        with open(self.path("lock"), "ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("waiting for another run to finish its set-up …",
                      file=sys.stderr)
                fcntl.flock(file, fcntl.LOCK_EX)
            for left in self.path("tmp").iterdir():
                remove(left)
            yield

    @contextlib.contextmanager
    def scratch(self):
        """A folder to make things in; rename what is complete out of it."""
        folder = Path(tempfile.mkdtemp(dir=self.path("tmp")))
        try:
            yield folder
        finally:
            remove(folder)


def remove(path):
    """Removes a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def keep_latest(path, count):
    """Notes that a file or folder is in use; drops those beside it that no run used lately.

    What was used within the hour stays: a run that goes on may be about to boot it.
    """
    os.utime(path)
    kept = sorted(path.parent.iterdir(), key=lambda other: other.stat().st_mtime)
    for old in kept[:-count]:
        if old.stat().st_mtime < time.time() - LATELY_S:
            remove(old)


def write_whole(path, data):
    """Writes a file that is complete whenever it is there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def is_configured(folder):
    """Whether a build folder was set up to its end, and at this very place.

    Builds know absolute paths: one that came here by a move or a copy of the
    cache may look into a folder that is gone.
    """
    stamp = folder / CONFIGURED
    return stamp.is_file() and stamp.read_text() == str(folder)


def note_configured(folder):
    """Keeps that a build folder is set up."""
    write_whole(folder / CONFIGURED, str(folder).encode())


def need_space(path, mebibytes, purpose):
    """Raises Problem if the disk that holds path has less room than that."""
    free = shutil.disk_usage(path).free // MIB
    if free < mebibytes:
        raise Problem(f"too little disk space in {path}: {purpose} needs "
                      f"{mebibytes} MiB, {free} MiB are free.")


def digest(*parts):
    """A short key made of strings and of bytes."""
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()[:16]


def tree_digest(root, names):
    """A key of the contents of files and folders (by relative name)."""
    parts = []
    for name in names:
        for path in sorted(files_below(root / name)):
            parts += [path.relative_to(root), path.read_bytes()]
    return digest(*parts)


def files_below(path):
    """The files in a folder and its subfolders, or the file itself."""
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*")
            if file.is_file() and "__pycache__" not in file.parts]


def program_id(program):
    """Tells one installed version of a program from another."""
    found = shutil.which(program)
    if found is None:
        return f"{program}: absent"
    real = os.path.realpath(found)
    status = os.stat(real)
    return f"{real} {status.st_size} {status.st_mtime_ns}"
