# SPDX-License-Identifier: MIT
"""How a person's own QEMU tree is told from a changed one, and only read."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from pcmaster import debian, overlay, process, qemu
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

    def test_what_is_installed_here_is_none_of_the_suite(self):
        """A newer version of a package here would be what apt then looks for in vain."""
        installed = ["apt-cache", "policy", "base-files"]
        self.assertRegex(process.output(installed), r"Installed: \d")
        with tempfile.TemporaryDirectory() as folder:
            apt = debian.Apt(Cache(folder), None, None, "bookworm")
            self.assertNotRegex(process.output([*installed, *apt.options]), r"Installed: \d")

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
            for version in ("10.0.9+ds", "10.0.13+ds", "10.2.2+ds"):
                cache.path(f"qemu-{version}", "source").mkdir(parents=True)
            self.assertEqual(debian.qemu_source(cache).name, "qemu-10.0.13+ds")
            self.assertEqual(debian.qemu_source(cache, "10.2").name, "qemu-10.2.2+ds")
            with self.assertRaisesRegex(Problem, "QEMU_SRC"):
                debian.qemu_source(cache, "9.1")

    def test_who_chooses_the_series(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch("pcmaster.debian.qemu_source") as source:
            source.side_effect = lambda cache, series: Path(folder, series)
            for environ, series, chosen in (
                    ({}, None, "10.0"), ({"QEMU_SERIES": "10.2"}, None, "10.2"),
                    ({"QEMU_SRC": "/nowhere"}, "10.2", "10.2")):
                tree = qemu.find_tree(None, environ, series)
                self.assertEqual(tree.identity, chosen)


class FetchTest(unittest.TestCase):
    """Which version of a package's source is fetched from a suite."""

    def fetch(self, versions, refused=(), series=""):
        """What fetch_newest() returns, and what it asked for."""
        apt, asked = debian.Apt.__new__(debian.Apt), []
        apt.suite = "sid"

        def run(*words, cwd):
            asked.append(words[-1])
            if words[-1] in refused:
                raise process.Failed("404")
        with mock.patch.object(apt, "versions", return_value=versions, create=True), \
                mock.patch.object(apt, "run", run):
            return apt.fetch_newest("qemu", Path("/"), series=series), asked

    def test_the_newest_of_the_series(self):
        versions = ["1:10.0.2+ds", "1:10.2.2+ds", "1:10.20.1+ds"]
        self.assertEqual(self.fetch(versions, series="10.2"),
                         ("1:10.2.2+ds", ["qemu=1:10.2.2+ds"]))
        self.assertEqual(self.fetch(versions)[0], "1:10.20.1+ds")

    def test_what_the_mirror_lacks_is_passed_over(self):
        self.assertEqual(self.fetch(["1:10", "1:11"], ["qemu=1:11"]),
                         ("1:10", ["qemu=1:11", "qemu=1:10"]))

    def test_nothing_is_to_be_had(self):
        for versions, refused in ((["1:10"], ["qemu=1:10"]), ([], ())):
            with self.assertRaises(Problem):
                self.fetch(versions, refused)
        with self.assertRaisesRegex(Problem, "does not hold qemu 10.2"):
            self.fetch(["1:10.0.1"], series="10.2")

    def test_versions_are_ordered_by_their_numbers(self):
        apt = debian.Apt.__new__(debian.Apt)
        apt.options = []
        shown = "Version: 1:11.1+ds\nVersion: 1:9.2\nVersion: 1:10.0.13\n"
        with mock.patch("pcmaster.process.output", return_value=shown):
            self.assertEqual(apt.versions("qemu"),
                             ["1:9.2", "1:10.0.13", "1:11.1+ds"])


class KindTest(unittest.TestCase):
    """Builds of one tree."""

    def test_each_kind_has_a_folder_and_keeps_the_others(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch("pcmaster.process.run_logged") as run, \
                mock.patch("pcmaster.debian.meson_path", return_value=None):
            cache = Cache(folder)
            source = cache.path("qemu-1", "source")
            source.mkdir(parents=True)
            outdated = source.parent / "build-plain-0123"
            outdated.mkdir()
            folders = [qemu.configured(cache, source, kind)
                       for kind in qemu.KINDS.values()]
            self.assertTrue(all(path.is_dir() for path in folders))
            self.assertEqual(len(set(folders)), len(qemu.KINDS))
            self.assertFalse(outdated.exists())
            for kind in qemu.KINDS.values():
                qemu.configured(cache, source, kind)
            self.assertEqual(run.call_count, len(qemu.KINDS))

    def test_a_cache_that_was_moved_is_configured_anew(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch("pcmaster.process.run_logged") as run, \
                mock.patch("pcmaster.debian.meson_path", return_value=None):
            before = Cache(Path(folder, "before"))
            source = before.path("qemu-1", "source")
            source.mkdir(parents=True)
            qemu.configured(before, source, qemu.PLAIN)
            before.root.rename(Path(folder, "after"))
            after = Cache(Path(folder, "after"))
            for _ in range(2):
                qemu.configured(after, after.path("qemu-1", "source"), qemu.PLAIN)
            self.assertEqual(run.call_count, 2)
