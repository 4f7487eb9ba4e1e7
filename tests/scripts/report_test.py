# SPDX-License-Identifier: MIT
"""The table, the diagnosis and the closing line, as a person sees them."""

import io
import os
import unittest
from unittest import mock

from pcmaster import diagnosis, judge, report, tap

REQUEST = "AllocateCommonBufferEx(64 bits, below 0x1000000, 4096 bytes, any node)"
POINTS = [
    tap.Point(1, "limit/24-bit", True, None, {
        "request": REQUEST, "logical": "0xfff000", "node": "0", "verdict": "held"}),
    tap.Point(2, "node/3", False, None, {"request": "r", "verdict": "on node 1"}),
    tap.Point(3, "boundary", True, "no device"),
]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def printed(call, *arguments, stream=None):
    """What such a call prints."""
    stream = stream or io.StringIO()
    call(*arguments, stream=stream)
    return stream.getvalue()


class TableTest(unittest.TestCase):
    """The table of results."""

    def test_columns_are_aligned(self):
        header, first, second, _ = printed(report.table, POINTS).splitlines()
        for name, text in (("request", REQUEST), ("logical", "0xfff000"),
                           ("verdict", "held")):
            self.assertEqual(header.index(name), first.index(text))
        self.assertEqual(header.index("verdict"), second.index("FAILED on node 1"))

    def test_no_escape_sequences_outside_a_terminal(self):
        self.assertNotIn("\033", printed(report.table, POINTS))
        self.assertIn("\033", printed(report.table, POINTS, stream=Terminal()))

    def test_a_narrow_terminal_folds_the_request_and_loses_nothing(self):
        with mock.patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"}):
            text = printed(report.table, POINTS, stream=Terminal())
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        for word in REQUEST.split():
            self.assertIn(word, text)

    def test_skipped_results_say_why(self):
        self.assertIn("skipped: no device", printed(report.table, POINTS))

    def test_what_the_guest_says_cannot_upset_the_terminal(self):
        point = tap.Point(1, "a\033[2J", True, None, {"verdict": "\a\033]0;x"})
        text = printed(report.table, [point])
        self.assertNotIn("\033", text)
        self.assertNotIn("\a", text)


class ClosingTest(unittest.TestCase):
    """Counts, complaints and the diagnosis of a fault."""

    def test_counts(self):
        self.assertEqual(report.counts(tap.Results(3, POINTS)),
                         "1 held, 1 failed, 1 skipped")

    def test_every_complaint_is_printed(self):
        text = printed(report.summary, ["one", "two"], "end")
        self.assertEqual(text.split("\n"), ["", "one", "two", "end", ""])

    def test_a_fault_names_rule_address_and_victim(self):
        seen, = diagnosis.parse([
            "pcmaster_violation_limit address 0x1000000 length 16 write requester 255 "
            "last legal byte 0xffffff last byte asked for 0x100000f fault 0x1000000 "
            "landed 0x0 policy wrap"])
        point = tap.Point(1, "fault/limit", True, None, {"victim": "another buffer"})
        text = printed(report.fault, point, judge.Verdict([], [seen]), "too high")
        for part in ("limit: too high", "0x1000000 to 0x100000f", "16 bytes", "write",
                     "last legal byte 0xffffff", "last byte asked for 0x100000f",
                     "at 0x0", "another buffer"):
            self.assertIn(part, text)
