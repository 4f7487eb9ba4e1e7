# SPDX-License-Identifier: MIT
"""What the fuzzing script makes of a run."""

import unittest
from pathlib import Path

from pcmaster import fuzz

GOOD = "#2\tINITED\nDone 5 runs in 1 second(s)\nstat::number_of_executed_units: 5\n"
CRASH = """==77==WARNING: ASan doesn't fully support makecontext
ERROR:../source/x.c:417:check: assertion failed (a == b): (1 == 2)
==77== ERROR: libFuzzer: deadly signal
SUMMARY: libFuzzer: deadly signal
artifact_prefix='/out/registers-'; Test unit written to /out/registers-crash-12ab
stat::number_of_executed_units: 9
"""
UNDEFINED = """../source/hw/x.c:3:4: runtime error: shift exponent 64 is too large
stat::number_of_executed_units: 9
"""
PROGRAMS = Path("/programs")


class JudgeTest(unittest.TestCase):

    def test_a_run_that_found_nothing(self):
        self.assertEqual(fuzz.judge("registers", 0, GOOD, PROGRAMS), [])

    def test_a_run_that_tried_nothing_is_a_finding(self):
        self.assertTrue(fuzz.judge("registers", 0, "usage\n", PROGRAMS))

    def test_a_crash_and_how_to_see_it_again(self):
        text = "\n".join(fuzz.judge("registers", 77, CRASH, PROGRAMS))
        self.assertIn("assertion failed (a == b)", text)
        self.assertIn("after 9 inputs", text)
        self.assertIn("--fuzz-target=pcmaster-registers /out/registers-crash-12ab", text)
        self.assertIn("UBSAN_OPTIONS=", text)

    def test_the_generic_target_needs_its_environment_again(self):
        text = "\n".join(fuzz.judge("generic", 77, CRASH, PROGRAMS))
        self.assertIn("QEMU_FUZZ_OBJECTS='pcmaster'", text)

    def test_undefined_behaviour(self):
        self.assertIn("shift exponent",
                      "\n".join(fuzz.judge("generic", 1, UNDEFINED, PROGRAMS)))

    def test_the_corpus_is_there(self):
        for key, target in fuzz.TARGETS.items():
            inputs = list((fuzz.CORPUS / key).iterdir())
            self.assertTrue(inputs)
            self.assertLessEqual(max(path.stat().st_size for path in inputs), target.longest)
        total = sum(path.stat().st_size for path in fuzz.CORPUS.rglob("*") if path.is_file())
        self.assertLess(total, 200 << 10)


if __name__ == "__main__":
    unittest.main()
