# SPDX-License-Identifier: MIT
"""The IOMMU's judge: guest, device and QEMU must tell the same."""

import unittest
from dataclasses import dataclass

from pcmaster import iommu

STARTED = "iommu: the unit at 0xfed90000 translates addresses of 48 bits"
SAID = "iommu: denied a write at page 0x2000 by 41:00.0, reason 5: nothing is there"
SEEN = "vtd_dmar_fault sid 0x4100 fault 5 addr 0x2010 write 1"
OTHER_WAY = "vtd_dmar_fault sid 0x4100 fault 6 addr 0x2010 write 0"


@dataclass(frozen=True)
class Violation:
    """As much of diagnosis.Violation as matters here."""

    rule: str = "iommu"
    direction: str = "write"
    fault: str = "0x2010"


class Agreement(unittest.TestCase):
    """Each party's objection alone must be enough."""

    def judge(self, console=(STARTED, SAID), log=(SEEN, OTHER_WAY), violations=(Violation(),)):
        """The complaints about these words."""
        return iommu.judge(list(console), list(log), list(violations))

    def test_they_agree(self):
        self.assertEqual(self.judge(), [])
        self.assertEqual(self.judge([STARTED], [], [Violation("limit")]), [])

    def test_the_guest_left_it_off(self):
        self.assertIn("did not switch", self.judge([], [], [])[0])

    def test_the_device_is_denied_without_a_record(self):
        self.assertIn("fault record says nothing", self.judge([STARTED])[0])

    def test_a_record_without_the_device(self):
        self.assertIn("device says nothing", self.judge(violations=())[0])

    def test_every_part_of_the_record_counts(self):
        for part, other in (("0x2000", "0x3000"), ("write", "read"), ("41:00.0", "41:00.1"),
                            ("41:00.0", "40:00.0"), ("41:00.0", "41:01.0")):
            with self.subTest(part=part, other=other):
                self.assertTrue(self.judge([STARTED, SAID.replace(part, other)]))

    def test_every_part_of_the_violation_counts(self):
        self.assertTrue(self.judge(violations=[Violation(fault="0x3000")]))
        self.assertTrue(self.judge(violations=[Violation(direction="read")]))

    def test_one_record_is_for_one_violation(self):
        self.assertTrue(self.judge(violations=[Violation(), Violation()]))

    def test_an_overflow_is_told(self):
        line = "iommu: more was denied than it has room to record"
        self.assertIn("no room", self.judge([STARTED, SAID, line])[0])

    def test_a_line_that_cannot_be_read(self):
        self.assertIn("cannot read", self.judge([STARTED, SAID, "iommu: denied a sneeze"])[0])

    def test_a_denial_in_words(self):
        self.assertEqual(str(iommu.by_guest([SAID])[0]), "a write at page 0x2000 by 41:00.0")


if __name__ == "__main__":
    unittest.main()
