# SPDX-License-Identifier: MIT
"""The reader of the guest's TAP."""

import unittest

from pcmaster import tap

CONSOLE = """\
pcmaster: started
TAP version 13
1..3
ok 1 - limit/24-bit
  ---
  {"request":"below 0x1000000","logical":"0xfff000","node":"0","verdict":"held"}
  ...
a free line that says ok 7 - in its middle
not ok 2 - node/3
  ---
  {"verdict":"on node 1"}
  ...
ok 3 - boundary # SKIP no device
""".splitlines()


class TapTest(unittest.TestCase):
    """What parse() makes of good and of broken streams."""

    def test_a_whole_stream(self):
        got = tap.parse(CONSOLE)
        self.assertEqual(got.faults(), [])
        self.assertEqual([(p.name, p.ok, p.skipped) for p in got.points],
                         [("limit/24-bit", True, None), ("node/3", False, None),
                          ("boundary", True, "no device")])
        self.assertEqual(got.points[0].details["logical"], "0xfff000")
        self.assertEqual([p.name for p in got.failed], ["node/3"])
        self.assertEqual((got.plan_line, [p.line for p in got.points]), (2, [3, 8, 12]))

    def test_fewer_results_than_planned(self):
        got = tap.parse(CONSOLE[:-1])
        self.assertEqual(got.faults(), ["2 results came of 3 planned"])

    def test_more_results_than_planned(self):
        got = tap.parse(CONSOLE + ["ok 4 - more"])
        self.assertEqual(got.faults(), ["4 results came of 3 planned"])

    def test_no_plan(self):
        self.assertIn("no plan", tap.parse(["ok 1 - a"]).faults()[0])
        self.assertIn("no plan", tap.parse([]).faults()[0])

    def test_two_plans(self):
        self.assertIn("two plans", tap.parse(["1..1", "ok 1 - a", "1..1"]).faults()[0])

    def test_numbers_out_of_order(self):
        got = tap.parse(["1..2", "ok 1 - a", "ok 3 - c"])
        self.assertIn("result 3 came where 2 was due", got.faults())

    def test_bail_out(self):
        got = tap.parse(["1..2", "ok 1 - a", "Bail out! no device"])
        self.assertIn("the guest gave up: no device", got.faults())

    def test_broken_details(self):
        got = tap.parse(["1..1", "ok 1 - a", "  ---", "  {broken}", "  ..."])
        self.assertIn("no JSON", got.faults()[0])

    def test_a_free_line_inside_the_details(self):
        got = tap.parse(["1..1", "ok 1 - a", "  ---", "dpc: late", '  {"node":"2"}', "  ..."])
        self.assertEqual(got.points[0].details, {"node": "2"})
        self.assertEqual(got.faults(), [])

    def test_what_is_kept_parses_to_the_same(self):
        kept = tap.lines_of(CONSOLE)
        self.assertNotIn("pcmaster: started", kept)
        self.assertEqual(tap.parse(kept), tap.parse(CONSOLE))
