# SPDX-License-Identifier: MIT
"""The reader of the device's own report."""

import re
import unittest

from pcmaster import CHECKOUT, diagnosis

LIMIT = ("pcmaster_violation_limit address 0x1000000 length 4096 write requester 255 "
         "last legal byte 0xffffff last byte asked for 0x1000fff fault 0x1000000 "
         "landed 0xffffffffffffffff policy abort")
NODE = ("pcmaster_violation_node address 0x140000000 length 1 read requester 0 "
        "expected node 1 actual node 2 fault 0x140000000 landed 0x140000000 policy record")
EVENTS = CHECKOUT / "hw/audio/pcmaster/trace-events"


class DiagnosisTest(unittest.TestCase):
    """What parse() finds, and how it reads."""

    def test_every_field(self):
        found, = diagnosis.parse(["pcmaster_reset all registers", LIMIT])
        self.assertEqual(
            (found.rule, found.address, found.length, found.direction, found.expected,
             found.actual, found.fault, found.landed, found.policy),
            ("limit", "0x1000000", "4096", "write", "0xffffff", "0x1000fff",
             "0x1000000", diagnosis.NOWHERE, "abort"))

    def test_rows_for_a_person(self):
        rows = dict(diagnosis.parse([LIMIT])[0].rows())
        self.assertEqual(rows["address"], "0x1000000 to 0x1000fff")
        self.assertEqual(rows["expected"], "last legal byte 0xffffff")
        self.assertIn("the exerciser", rows["direction"])
        self.assertIn("nowhere", rows["landed"])
        rows = dict(diagnosis.parse([NODE])[0].rows())
        self.assertEqual(rows["expected"], "node 1")
        self.assertEqual(rows["actual"], "node 2")
        self.assertIn("stream 0", rows["direction"])
        self.assertEqual(rows["landed"], "at 0x140000000")

    def test_order_and_prefixes(self):
        found = diagnosis.parse([f"12@3.4:{NODE}", LIMIT])
        self.assertEqual([v.rule for v in found], ["node", "limit"])

    def test_an_event_of_another_shape_is_no_silence(self):
        with self.assertRaisesRegex(ValueError, "cannot read"):
            diagnosis.parse(["pcmaster_violation_limit address 12"])

    def test_the_device_s_events_have_that_shape(self):
        rules = set()
        for line in EVENTS.read_text().splitlines():
            match = re.match(r'pcmaster_violation_(\w+)\(.*?\) (".*)$', line)
            if match:
                shown = re.sub(r'"PRI\w+"?', "7", match[2]).strip('"')
                shown = shown.replace("0x%7", "0x7").replace("%7", "7")
                event = f"pcmaster_violation_{match[1]} {shown.replace('%s', 'abort')}"
                self.assertEqual(len(diagnosis.parse([event])), 1, event)
                rules.add(match[1])
        self.assertEqual(rules, set(diagnosis.RULES))
