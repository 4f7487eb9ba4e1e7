# SPDX-License-Identifier: MIT
"""All processors at once. -icount gives each a turn, in which no other moves; in
real time they are threads of the host, and meet wherever they like."""

import unittest

import running


class ProcessorsTest(running.RunCase):
    """The exercises with a thread on each processor, in real time."""

    def stress(self, cpus):
        """Runs them on a machine of that many processors."""
        ran = self.run_with("--realtime", "--cpus", cpus, "--exercise", "stress/*")
        self.assert_status(0, ran)
        results = ran.results()
        self.assertIn("tcg,thread=multi", results["command"])
        self.assertIsNone(results["icount"])
        self.assertGreaterEqual(len(results["exercises"]), 4)
        for entry in results["exercises"]:
            self.assertEqual(entry["processors"], cpus, entry["name"])

    def test_two(self):
        self.stress(2)

    def test_four(self):
        self.stress(4)


if __name__ == "__main__":
    unittest.main()
