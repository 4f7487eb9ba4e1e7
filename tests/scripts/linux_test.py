# SPDX-License-Identifier: MIT
"""The Linux guest's parts that need no guest: archives, kernels, modules, comparisons."""

import dataclasses
import lzma
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from pcmaster import initramfs, kernel, linuxguest, linuxrun, packages, wav
from pcmaster.cache import Cache


def entries(archive):
    """Name -> (mode, contents) of a cpio archive."""
    found, at = {}, 0
    while True:
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = archive[at + 110:at + 110 + fields[11] - 1].decode()
        data = (at + 110 + fields[11] + 3) // 4 * 4
        if name == initramfs.END:
            return found
        found[name] = (fields[1], archive[data:data + fields[6]])
        at = (data + fields[6] + 3) // 4 * 4


class InitramfsTest(unittest.TestCase):
    """What goes into an archive comes out of it."""

    def test_files_folders_links(self):
        archive = initramfs.Archive()
        archive.file("a/b/c", b"12345", 0o755)
        archive.link("a/d", "b/c")
        archive.device("dev/console", 5, 1)
        found = entries(archive.whole())
        self.assertEqual(found["a/b/c"], (0o100755, b"12345"))
        self.assertEqual(found["a/d"], (0o120777, b"b/c"))
        self.assertEqual([name for name in found if found[name][0] == 0o40755],
                         ["a", "a/b", "dev"])
        self.assertEqual(found["dev/console"][0], 0o20600)

    def test_folders_come_first_and_once(self):
        archive = initramfs.Archive()
        archive.file("x/y", b"")
        archive.file("x/z", b"")
        self.assertEqual(list(entries(archive.whole())), ["x", "x/y", "x/z"])


class KernelTest(unittest.TestCase):
    """What the cache keeps of Debian's."""

    def test_what_an_older_cache_lacks_is_fetched(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(kernel, "tools"), mock.patch.object(kernel, "_fetch") as fetch:
            cache = Cache(folder)
            home = cache.path("linux-6.1-6.1.0-1-amd64")
            fetch.return_value = home
            for part in kernel.MODULES:
                (home / "modules" / part).mkdir(parents=True)
            for name in ("vmlinux", "vmlinuz"):
                (home / name).touch()
            (home / "release").write_text("6.1.0-1-amd64")
            self.assertEqual(kernel.debian(cache, "6.1").vmlinux, home / "vmlinux")
            fetch.assert_not_called()
            (home / "modules" / kernel.MODULES[-1]).rmdir()
            self.assertEqual(kernel.debian(cache, "6.1").release, "6.1.0-1-amd64")
            fetch.assert_called_once_with(cache, "6.1")
            (home / "modules" / kernel.MODULES[-1]).mkdir()
            (home / "vmlinuz").unlink()
            kernel.debian(cache, "6.1")
            self.assertEqual(fetch.call_count, 2)


class PackageTest(unittest.TestCase):
    """Debian's packages, of 12 and of 13, which has all below usr/."""

    def package(self, folder, *files):
        """A package with these empty files."""
        for name in ("DEBIAN/control", *files):
            (folder / "root" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "root" / name).touch()
        (folder / "root/DEBIAN/control").write_text(
            "Package: k\nVersion: 1\nArchitecture: all\nMaintainer: me <m@e>\nDescription: k\n")
        subprocess.run(["dpkg-deb", "-b", folder / "root", folder / "k.deb"], check=True,
                       stdout=subprocess.DEVNULL)
        return folder / "k.deb"

    def test_modules(self):
        for root in ("lib", "usr/lib"):
            with tempfile.TemporaryDirectory() as folder:
                place = f"{root}/modules/6.9-amd64/kernel"
                package = self.package(Path(folder), "boot/vmlinuz", "usr/src/x/Makefile",
                                       *(f"{place}/{part}/some.ko" for part in kernel.MODULES),
                                       f"{place}/fs/other.ko")
                home = Path(folder, "home")
                kernel._unpack(package, home, Path(folder, "log"), mock.Mock())
                self.assertEqual({str(path.relative_to(home)) for path in home.rglob("*")
                                  if path.is_file()},
                                 {"boot/vmlinuz", "headers/usr/src/x/Makefile",
                                  *(f"modules/{part}/some.ko" for part in kernel.MODULES)})


class SuiteTest(unittest.TestCase):
    """Each Debian has kernels whose build tools it can run."""

    def test_suites(self):
        for version, series, suite in ((12, "6.1", "bookworm"), (13, "6.1", "bookworm"),
                                       (12, "6.12", "bookworm-backports"),
                                       (13, "6.12", "trixie"), (float("inf"), "6.12", "trixie")):
            with mock.patch.object(packages, "debian_version", return_value=version):
                self.assertEqual(kernel.suite(series), suite)


class ModuleTest(unittest.TestCase):
    """Modules: their order, names and signatures."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.kernel = SimpleNamespace(modules=(self.folder,))

    def module(self, name, depends, compressed=False):
        """A file that says what it depends on."""
        data = b"\0depends=" + depends.encode() + b"\0"
        path = self.folder / (f"{name}.ko.xz" if compressed else f"{name}.ko")
        path.write_bytes(lzma.compress(data) if compressed else data)
        return path

    def test_order(self):
        self.module("soundcore", "")
        self.module("snd", "soundcore", compressed=True)
        self.module("snd-timer", "snd")
        last = self.module("snd-pcm", "snd-timer,snd,built_in")
        self.assertEqual([linuxguest.plain(path) for path
                          in linuxguest.load_order(self.kernel, last)],
                         ["soundcore.ko", "snd.ko", "snd-timer.ko", "snd-pcm.ko"])

    def test_names(self):
        path = self.module("virtio_snd", "")
        self.assertEqual(linuxguest.find_module(self.kernel, "virtio-snd"), path)
        self.assertIsNone(linuxguest.find_module(self.kernel, "virtio"))

    def test_signature(self):
        path = self.folder / "signed.ko"
        path.write_bytes(b"module" + b"signature" + bytes(8) + struct.pack(">I", 9)
                         + linuxguest.SIGNATURE)
        self.assertEqual(linuxguest.unsigned(path), b"module")


def sound(*samples):
    """Mono samples of 16 bits."""
    return wav.Wav(48000, 1, "s16", struct.pack(f"<{len(samples)}h", *samples))


class CompareTest(unittest.TestCase):
    """A recording is the input with silence around, or it is not."""

    def exact(self, played, heard):
        """Whether that was the same."""
        return linuxrun.found_in(sound(*played), sound(*heard)).exact

    def test_found(self):
        self.assertTrue(self.exact((1, 2, 3), (0, 0, 1, 2, 3, 0)))
        self.assertTrue(self.exact((0, 1, 0), (0, 0, 1, 0)))
        self.assertTrue(self.exact((0, 0), (0, 0, 0)))

    def test_not_found(self):
        for heard in ((0, 1, 2), (0, 1, 2, 4), (1, 0, 2, 3), (1, 2, 3, 0, 9), (9, 1, 2, 3),
                      (0, 0), ()):
            self.assertFalse(self.exact((1, 2, 3), heard), heard)

    def test_lead_missing(self):
        self.assertFalse(self.exact((0, 0, 1), (0, 1)))

    def test_padded(self):
        self.assertEqual(sound(1, 2, 3).padded(4).data, sound(1, 2, 3, 0).data)
        self.assertEqual(sound(1, 2).padded(2).data, sound(1, 2).data)
        quiet = dataclasses.replace(sound(), sample="u8", data=b"\x07")
        self.assertEqual(quiet.padded(3).data, b"\x07\x80\x80")

    def test_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "x.wav")
            path.write_bytes(sound(5, -6, 7).as_file())
            self.assertEqual(wav.read(path), sound(5, -6, 7))


class LogTest(unittest.TestCase):
    """What a kernel log must not hold."""

    def complaints(self, *lines):
        """Of a log with these lines."""
        plan = SimpleNamespace(out=Path("/nonexistent"))
        return linuxrun.log_complaints(plan, SimpleNamespace(lines=list(lines)))

    def test_good(self):
        self.assertEqual(self.complaints(
            "snd_pcmaster: loading out-of-tree module taints kernel.",
            "snd_pcmaster: module verification failed: signature and/or required key "
            "missing - tainting kernel", "pcieport: enabled"), [])

    def test_bad(self):
        for line in ("WARNING: CPU: 1 PID: 0 at x.c:1", "BUG: unable to handle page fault",
                     "snd-pcmaster 0000:41:00.0: violation of limit", "Call Trace:",
                     "DMAR: [DMA Read] Request device", "irq 11: nobody cared"):
            self.assertEqual(len(self.complaints("fine", line)), 1, line)
