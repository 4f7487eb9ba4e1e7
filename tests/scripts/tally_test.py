# SPDX-License-Identifier: MIT
"""How scripts/test counts: nothing that failed may be missed or counted twice."""

import unittest
import xml.etree.ElementTree as ElementTree

from pcmaster import CHECKOUT, test


def name(program):
    """A test program's name as meson gives it in both reports."""
    return f"pcmaster:unit / {program}"


def cases(alone=(), **programs):
    """A JUnit report: program -> a letter for each case; alone: failed without."""
    root = ElementTree.Element("testsuites")
    for program, letters in programs.items():
        suite = ElementTree.SubElement(root, "testsuite",
                                       name=f"pcmaster.{name(program)}")
        for number, letter in enumerate(letters):
            case = ElementTree.SubElement(suite, "testcase", name=f"case {number}")
            if letter != "p":
                ElementTree.SubElement(case, {"f": "failure", "e": "error",
                                              "s": "skipped"}[letter])
    suite = ElementTree.SubElement(root, "testsuite", name="pcmaster")
    for program in alone:
        case = ElementTree.SubElement(suite, "testcase", name=name(program))
        ElementTree.SubElement(case, "error")
    return root


def program(which, result, status=0):
    """meson's own result of a test program."""
    return {"name": name(which), "result": result, "returncode": status}


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
        self.assertEqual(failed, [f"{name('a')}: case 1", f"{name('a')}: case 2"])

    def test_a_program_that_dies_after_good_cases_counts(self):
        counts, failed = self.tally(cases(a="pp"), program("a", "ERROR", -11))
        self.assertEqual(counts, (2, 1, 0))
        self.assertEqual(failed, [f"{name('a')}: ERROR, exit status -11"])

    def test_a_program_without_cases_counts_once(self):
        for result in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT"):
            counts, failed = self.tally(cases(alone=["a"]), program("a", result, 1))
            self.assertEqual((counts, failed), ((0, 1, 0), [name("a")]))

    def test_another_program_s_failure_hides_nothing(self):
        counts, _ = self.tally(cases(a="f", ab="p"), program("a", "FAIL", 1),
                               program("ab", "ERROR", 1))
        self.assertEqual(counts, (1, 2, 0))


class OptionsTest(unittest.TestCase):
    """Which suites there are, and what meson is told of them."""

    def test_suites_that_run_only_if_asked_for(self):
        self.assertEqual(test.parse([]).suite, [])
        for name in test.SUITES | test.MORE_SUITES:
            self.assertEqual(test.parse(["--suite", name]).suite, [name])

    def test_meson_leaves_the_same_ones_out(self):
        text = (CHECKOUT / "tests/meson.build").read_text()
        left_out = text.partition("exclude_suites: [")[2].partition("]")[0]
        self.assertEqual({name.strip(" '") for name in left_out.split(",")},
                         set(test.MORE_SUITES))
