# SPDX-License-Identifier: MIT
"""Every exercise in a guest, each as a case, and the whole run as one more."""

import shutil
import tempfile
import unittest

import running


class Point(unittest.TestCase):
    """One exercise's result."""

    def __init__(self, entry):
        super().__init__("held")
        self.entry = entry

    def shortDescription(self):
        return self.entry["name"]

    def held(self):
        """ok in the guest's results: the usual machine lacks nothing."""
        self.assertEqual(self.entry["result"], "ok", self.entry)


class Whole(running.RunCase):
    """The run: whole, exact, and judged so by every party."""

    def __init__(self, ran):
        super().__init__("held")
        self.ran = ran

    def shortDescription(self):
        return "everything together"

    def held(self):
        """Exit status 0, no complaint, an exact recording, every exercise there."""
        self.assert_status(0, self.ran)
        results = self.ran.results()
        self.assertEqual(results["complaints"], [])
        self.assertTrue(results["audio"]["exact"])
        self.assertEqual(results["accelerator"], "tcg")
        listing = self.run_with("--list").text
        for entry in results["exercises"]:
            self.assertIn(f"  {entry['name']} ", listing)
            self.assertIn(entry["name"], self.ran.text)
        for name in ("console.log", "device.log", "played.wav", "results.tap"):
            self.assertTrue((self.ran.out / name).stat().st_size, name)
        self.assertFalse((self.ran.out / "play.pcm").exists())


def load_tests(loader, tests, pattern):
    """Boots once; each of the guest's results becomes a case."""
    out = tempfile.mkdtemp(prefix="pcmaster-")
    unittest.addModuleCleanup(shutil.rmtree, out)
    ran = running.run(out)
    points = [Point(entry) for entry in ran.results().get("exercises", [])]
    return unittest.TestSuite([*points, Whole(ran)])
