# SPDX-License-Identifier: MIT
"""How a person's own QEMU tree is told from a changed one, and only read."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from pcmaster import debian, overlay, qemu
from pcmaster.cache import Cache
from pcmaster.ui import Problem


class OwnTreeTest(unittest.TestCase):
    """A tree that QEMU_SRC may name."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.origin = Path(folder.name) / "origin"
        self.cache = Cache(Path(folder.name) / "cache")
        for edit in overlay.EDITS:
            anchors = [e.anchor for e in overlay.EDITS if e.file == edit.file]
            self.write(edit.file, "\n".join([*anchors, ""]))
        self.write("hw/core/a.c", "int a;\n")
        self.write("build/build.ninja", "")
        self.write("docs/build-system.rst", "text\n")
        self.write(".git/HEAD", "")

    def write(self, name, text):
        """Writes a file of the tree."""
        path = self.origin / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def copied(self):
        """The copy after mirroring, as relative names with their time stamps."""
        copy = self.cache.path("mirror")
        qemu.mirror(self.cache, self.origin, copy)
        overlay.apply(copy, self.origin)
        return {str(path.relative_to(copy)): path.stat().st_mtime_ns
                for path in copy.rglob("*") if path.is_file()}

    def test_the_fingerprint_sees_sources_only(self):
        first = qemu.fingerprint(self.origin)
        self.write("build/a.o", "object")
        self.write(".git/HEAD", "changed")
        self.assertEqual(qemu.fingerprint(self.origin), first)
        self.write("hw/core/a.c", "int ab;\n")
        self.assertNotEqual(qemu.fingerprint(self.origin), first)

    @unittest.skipUnless(shutil.which("rsync"), "rsync is missing")
    def test_the_mirror_has_the_source_and_the_overlay(self):
        names = self.copied()
        self.assertIn("hw/core/a.c", names)
        self.assertIn("docs/build-system.rst", names)
        self.assertIn("hw/audio/pcmaster/meson.build", names)
        self.assertNotIn("build/build.ninja", names)
        self.assertNotIn(".git/HEAD", names)
        self.assertFalse((self.origin / overlay.DEVICE).exists())

    @unittest.skipUnless(shutil.which("rsync"), "rsync is missing")
    def test_mirroring_again_touches_only_what_changed(self):
        first = self.copied()
        self.assertEqual(self.copied(), first)
        self.write("hw/core/a.c", "int changed;\n")
        os.utime(self.origin / "hw/core/a.c", (1, 1))
        second = self.copied()
        self.assertEqual([name for name in first if first[name] != second[name]],
                         ["hw/core/a.c"])
        (self.origin / "hw/core/a.c").unlink()
        self.assertNotIn("hw/core/a.c", self.copied())

    def test_a_folder_that_is_no_tree(self):
        with self.assertRaisesRegex(Problem, "no QEMU source tree"):
            qemu.find_tree(self.cache, {"QEMU_SRC": str(self.cache.root)})


class DebianTest(unittest.TestCase):
    """What is read from apt and from the cache."""

    def test_the_mirror_is_debian_s_main_archive(self):
        listing = ("Other|Other|http://a/\nDebian|Debian-Security|http://b/\n"
                   "Debian|Debian|http://c/debian/\n")
        with mock.patch("pcmaster.process.output", return_value=listing):
            self.assertEqual(debian.mirror(), "http://c/debian/")
        with mock.patch("pcmaster.process.output", return_value="||http://a/\n"):
            self.assertIsNone(debian.mirror())

    def test_a_meson_that_is_new_enough_is_used_as_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            cache = Cache(folder)
            cache.path("meson-1.7.0-1").mkdir()
            for version, path in (("1.5.0", None), ("1.7.0", None), ("2.0", None),
                                  ("1.0.1", cache.path("meson-1.7.0-1", debian.MESON_MODULES))):
                with mock.patch("pcmaster.process.output", return_value=version):
                    self.assertEqual(debian.meson_path(cache), path)

    def test_the_newest_source_in_the_cache_is_used(self):
        with tempfile.TemporaryDirectory() as folder:
            cache = Cache(folder)
            for version in ("10.0.9+ds", "10.0.13+ds"):
                cache.path(f"qemu-{version}", "source").mkdir(parents=True)
            self.assertEqual(debian.qemu_source(cache).name, "qemu-10.0.13+ds")
