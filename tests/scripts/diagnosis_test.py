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
END = "pcmaster_exerciser_end command {} result {} transferred {} mismatches {}"
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

    def test_what_was_moved(self):
        moved = diagnosis.transferred([
            END.format(1, 0, 64, 0), END.format(1, 0, 1, 0), LIMIT, END.format(2, 0, 4096, 0),
            END.format(1, 1, 10, 0), END.format(2, 2, 10, 3), END.format(3, 0, 10, 0),
            END.format(2, 0, 10, 1)])
        self.assertEqual(moved, diagnosis.Transferred(65, 4096))
        self.assertEqual(diagnosis.transferred([]), diagnosis.Transferred())
        with self.assertRaisesRegex(ValueError, "cannot read"):
            diagnosis.transferred(["pcmaster_exerciser_end command 1"])

    def test_the_device_s_account_has_that_shape(self):
        line, = (line for line in EVENTS.read_text().splitlines()
                 if line.startswith(diagnosis.COMMAND_NAME))
        shown = re.sub(r'%"PRI\w+"?', "1", line.partition(') "')[2]).strip('"')
        self.assertIsNotNone(diagnosis.COMMAND_END.search(
            f"{diagnosis.COMMAND_NAME} {shown}"), shown)

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
