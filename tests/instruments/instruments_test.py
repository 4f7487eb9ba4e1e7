# SPDX-License-Identifier: MIT
"""QEMU's own instruments, those that are no qtests, on the device."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from pcmaster import CHECKOUT, debian, overlay, packages, qemu, vmstate
from pcmaster.cache import Cache
from pcmaster.ui import Problem

DEVICE = "pcmaster"


def setUpModule():
    """Finds the programs and the source they were made of."""
    global CACHE, PROGRAMS, SOURCE
    CACHE = Cache()
    with CACHE.lock():
        packages.ensure(CACHE)
        PROGRAMS = qemu.ensure(CACHE)
        SOURCE = qemu.find_tree(CACHE).home / "source"


class Instrument(unittest.TestCase):
    """A program of QEMU's tree that ends with status 0 if all is well."""

    def clean(self, *words, **options):
        """Runs it; its output is the reason if it fails."""
        done = subprocess.run([str(word) for word in words], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, **options)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout


class CheckpatchTest(Instrument):
    """QEMU's rules of style, on each file of the overlay."""

    def check(self, checker):
        """No error and no warning in any of them.

        Some rules go by the file's name in QEMU's tree.
        """
        files = overlay.our_files()
        said = self.clean("perl", checker, "--no-tree", "-f", *files, cwd=CHECKOUT)
        totals = re.findall(r"^total: (.*), \d+ lines checked$", said, re.M)
        self.assertEqual(totals, ["0 errors, 0 warnings"] * len(files), said)

    def test_of_the_tree(self):
        """checkpatch of the QEMU that is built"""
        self.check(SOURCE / "scripts/checkpatch.pl")

    def test_newest(self):
        """checkpatch of the newest QEMU in Debian"""
        try:
            with CACHE.lock():
                checker = debian.checkpatch(CACHE)
        except Problem as problem:
            self.skipTest(f"not to be had: {str(problem).splitlines()[0]}")
        self.check(checker)


class CrashTest(Instrument):
    """device-crash-test plugs the device into every machine."""

    def test_no_machine_crashes(self):
        """device-crash-test"""
        env = dict(os.environ, PYTHONPATH=str(SOURCE / "python"))
        with tempfile.TemporaryDirectory() as folder:
            self.clean(sys.executable, SOURCE / "scripts/device-crash-test", "-q",
                       "--tcg-only", PROGRAMS / qemu.SYSTEM, "-t",
                       f"device={DEVICE}", env=env, cwd=folder)


class VmstateTest(Instrument):
    """What older versions have sent is still understood."""

    def test_the_version_is_on_record(self):
        """vmstate: this version's description is kept, as it is"""
        state = vmstate.dump(PROGRAMS)
        path = vmstate.record(vmstate.versions(state)[1])
        again = "; 'scripts/python vmstate' records it"
        self.assertTrue(path.is_file(), f"{path} is missing{again}")
        self.assertEqual(json.loads(path.read_text()), {DEVICE: state},
                         f"the stream changed, but not its version{again} "
                         "if nobody has used this version yet")

    def test_older_versions_arrive(self):
        """vmstate-static-checker.py: older descriptions against this one"""
        state = vmstate.dump(PROGRAMS)
        with tempfile.TemporaryDirectory() as folder:
            now = Path(folder, "now.json")
            now.write_text(vmstate.as_dump(state))
            for version in vmstate.recorded(vmstate.versions(state)[0]):
                self.clean(sys.executable, SOURCE / "scripts/vmstate-static-checker.py",
                           "-s", vmstate.record(version), "-d", now)


class DetectionTest(Instrument):
    """The instruments can fail: each finds what it is there to find."""

    def test_checkpatch_finds(self):
        """checkpatch refuses a tab"""
        with tempfile.TemporaryDirectory() as folder:
            bad = Path(folder, "bad.c")
            bad.write_text("int a(void)\n{\n\treturn 0;\n}\n")
            with self.assertRaises(AssertionError):
                self.clean("perl", SOURCE / "scripts/checkpatch.pl", "--no-tree",
                           "--terse", "-f", bad, cwd=folder)

    def test_the_checker_finds(self):
        """vmstate-static-checker.py refuses a field that is gone"""
        state = vmstate.dump(PROGRAMS)
        with tempfile.TemporaryDirectory() as folder:
            before, after = Path(folder, "before"), Path(folder, "after")
            before.write_text(vmstate.as_dump(state))
            del state["Description"]["Fields"][1]
            after.write_text(vmstate.as_dump(state))
            with self.assertRaises(AssertionError):
                self.clean(sys.executable, SOURCE / "scripts/vmstate-static-checker.py",
                           "-s", before, "-d", after)
