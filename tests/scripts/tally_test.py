# SPDX-License-Identifier: MIT
"""How scripts/test counts: nothing that failed may be missed or counted twice."""

import unittest
import xml.etree.ElementTree as ElementTree

from pcmaster import test


def cases(**suites):
    """A JUnit report: suite -> one letter for each case."""
    root = ElementTree.Element("testsuites")
    for name, letters in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", name=f"pcmaster.{name}")
        for number, letter in enumerate(letters):
            case = ElementTree.SubElement(suite, "testcase", name=f"case {number}")
            if letter != "p":
                ElementTree.SubElement(case, {"f": "failure", "e": "error",
                                              "s": "skipped"}[letter])
    return root


def program(name, result, status=0):
    """meson's own result of a test program."""
    return {"name": f"pcmaster:unit / {name}", "result": result, "returncode": status}


class TallyTest(unittest.TestCase):
    """tally() on reports as meson writes them."""

    def tally(self, report, *programs):
        """The three counts and the names."""
        count, failed = test.tally(report, programs)
        return (count["passed"], count["failed"], count["skipped"]), failed

    def test_cases_are_counted(self):
        counts, failed = self.tally(cases(a="pps", b="p"), program("a", "OK"),
                                    program("b", "OK"))
        self.assertEqual((counts, failed), ((3, 0, 1), []))

    def test_failures_and_errors_are_named_once(self):
        counts, failed = self.tally(cases(a="pfe"), program("a", "FAIL", 1))
        self.assertEqual(counts, (1, 2, 0))
        self.assertEqual(failed, ["pcmaster.a: case 1", "pcmaster.a: case 2"])

    def test_a_program_that_dies_after_good_cases_counts(self):
        counts, failed = self.tally(cases(a="pp"), program("a", "ERROR", -11))
        self.assertEqual(counts, (2, 1, 0))
        self.assertIn("exit status -11", failed[0])

    def test_a_program_without_cases_that_fails_counts(self):
        for result in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT"):
            self.assertEqual(self.tally(cases(), program("a", result, 1))[0], (0, 1, 0))

    def test_another_program_s_failure_hides_nothing(self):
        counts, _ = self.tally(cases(a="f", ab="p"), program("a", "FAIL", 1),
                               program("ab", "ERROR", 1))
        self.assertEqual(counts, (1, 2, 0))
