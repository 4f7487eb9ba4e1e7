# SPDX-License-Identifier: MIT
"""The module as the kernel's own tools see it: checkpatch, W=1, sparse, both series."""

import re
import subprocess
import unittest

from pcmaster import CHECKOUT, kernel, linuxguest, prepare


# Kbuild's remark where the compiler that made the kernel is not there.
OTHER_COMPILER = re.compile(r"^warning: the compiler differs from .*$", re.M)


class StyleTest(unittest.TestCase):
    """Not one error, not one warning."""

    @classmethod
    def setUpClass(cls):
        cls.cache, *_ = prepare.everything(more=kernel.PACKAGES)

    def test_checkpatch(self):
        with self.cache.lock():
            program = kernel.checkpatch(self.cache)
        folder = CHECKOUT / linuxguest.SOURCE
        files = sorted(path for path in folder.iterdir() if path.is_file())
        done = subprocess.run(["perl", program, "--no-tree", "-f", *files],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout.count("total: 0 errors, 0 warnings"), len(files), done.stdout)

    def build(self, series, mistakes, *words):
        """Everything that make says of a warning."""
        with self.cache.lock():
            chosen = kernel.debian(self.cache, series)
            module = linuxguest.build_module(self.cache, chosen, mistakes, words)
        log = OTHER_COMPILER.sub("", (module.parent / "log").read_text())
        self.assertIn("main.o", log)
        self.assertNotRegex(log, "warning:|error:", f"{series} {words}")

    def test_warnings_and_sparse(self):
        for series in kernel.SUITES:
            with self.cache.lock():
                sparse = kernel.debian(self.cache, series).tools / "usr/bin/sparse"
            for mistakes in (False, True):
                self.build(series, mistakes, "W=1", "C=2", f"CHECK={sparse}")
