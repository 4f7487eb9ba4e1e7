# SPDX-License-Identifier: MIT
"""The cache: nothing half-made, one run at a time, keys that see every change."""

import fcntl
import os
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from pcmaster import cache
from pcmaster.ui import Problem


class CacheTest(unittest.TestCase):
    """Each case has a cache of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.cache = cache.Cache(self.root)

    def test_where_it_is(self):
        self.assertEqual(cache.cache_root({"PCMASTER_CACHE": "/a"}), Path("/a"))
        self.assertEqual(cache.cache_root({"XDG_CACHE_HOME": "/b"}), Path("/b/pcmaster"))
        self.assertEqual(cache.cache_root({"PCMASTER_CACHE": "", "XDG_CACHE_HOME": ""}),
                         Path.home() / ".cache/pcmaster")

    def test_a_place_that_cannot_be_written(self):
        (self.root / "file").write_text("")
        with self.assertRaisesRegex(Problem, "PCMASTER_CACHE"):
            cache.Cache(self.root / "file")

    def test_scratch_goes_away_when_interrupted(self):
        with self.assertRaises(KeyboardInterrupt):
            with self.cache.scratch() as work:
                (work / "half").write_text("")
                raise KeyboardInterrupt
        self.assertEqual(list(self.cache.path("tmp").iterdir()), [])

    def test_scratch_that_was_renamed_stays(self):
        with self.cache.scratch() as work:
            (work / "whole").write_text("")
            work.rename(self.cache.path("final"))
        self.assertTrue(self.cache.path("final", "whole").is_file())

    def test_the_lock_empties_what_a_killed_run_left(self):
        self.cache.path("tmp", "left").mkdir()
        self.cache.path("tmp", "left", "file").write_text("")
        with self.cache.lock():
            self.assertEqual(list(self.cache.path("tmp").iterdir()), [])

    def test_the_lock_keeps_others_out(self):
        with self.cache.lock(), open(self.cache.path("lock"), "rb") as other:
            with self.assertRaises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with open(self.cache.path("lock"), "rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_too_little_disk(self):
        with mock.patch("shutil.disk_usage") as usage:
            usage.return_value = mock.Mock(free=5 << 20)
            cache.need_space(self.root, 5, "this")
            with self.assertRaisesRegex(Problem, "this needs 6 MiB, 5 MiB are free"):
                cache.need_space(self.root, 6, "this")


class LatestTest(unittest.TestCase):
    """What nobody used lately goes, but for a few."""

    def kept(self, ages):
        """The numbers of files that stay, which were used so many seconds ago; the last is used."""
        with tempfile.TemporaryDirectory() as name:
            paths = [Path(name, str(number)) for number in range(len(ages))]
            for path, age in zip(paths, ages):
                path.touch()
                os.utime(path, (time.time() - age,) * 2)
            cache.keep_latest(paths[-1], 3)
            return sorted(int(path.name) for path in Path(name).iterdir())

    def test_what_another_run_may_be_about_to_use_stays(self):
        self.assertEqual(self.kept([60] * 9), list(range(9)))

    def test_what_was_used_long_ago_goes(self):
        old = [cache.LATELY_S + 100 * number for number in range(1, 9)]
        self.assertEqual(self.kept(old), [0, 1, 7])


class KeyTest(unittest.TestCase):
    """Keys differ when, and only when, what they stand for does."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "src/sub").mkdir(parents=True)
        (self.root / "src/sub/a.c").write_text("int a;\n")
        (self.root / "one").write_text("1")

    def key(self):
        """The key of the tree as it is now."""
        return cache.tree_digest(self.root, ("src", "one", "absent"))

    def test_boundaries_between_parts_count(self):
        self.assertNotEqual(cache.digest("ab", "c"), cache.digest("a", "bc"))
        self.assertEqual(cache.digest("a", b"b"), cache.digest("a", "b"))

    def test_content_name_and_number_of_files_count(self):
        keys = {self.key()}
        (self.root / "src/sub/a.c").write_text("int b;\n")
        keys.add(self.key())
        (self.root / "src/sub/a.c").rename(self.root / "src/sub/b.c")
        keys.add(self.key())
        (self.root / "src/new.h").write_text("")
        keys.add(self.key())
        self.assertEqual(len(keys), 4)

    def test_times_and_byte_code_do_not_count(self):
        before = self.key()
        (self.root / "src/sub/a.c").write_text("int a;\n")
        (self.root / "src/__pycache__").mkdir()
        (self.root / "src/__pycache__/x.pyc").write_text("")
        self.assertEqual(self.key(), before)

    def test_programs(self):
        self.assertIn("absent", cache.program_id("no-such-program"))
        self.assertNotIn("absent", cache.program_id("sh"))
