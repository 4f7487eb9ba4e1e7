# SPDX-License-Identifier: MIT
"""The IOMMU's judge: guest, device and QEMU must tell the same."""

import unittest
from dataclasses import dataclass
from types import SimpleNamespace

from pcmaster import iommu

STARTED = "iommu: the unit at 0xfed90000 translates addresses of 48 bits"
SAID = "iommu: denied a write at page 0x2000 by 41:00.0, reason 5: nothing is there"
SEEN = "vtd_dmar_fault sid 0x4100 fault 5 addr 0x2010 write 1"
LINUX = ["[ 0.1] DMAR: Intel(R) Virtualization Technology for Directed I/O",
         "[ 3.2] DMAR: [DMA Write NO_PASID] Request device [41:00.0] fault addr 0x2000 "
         "[fault reason 0x05] PTE Write access is not set"]
OTHER_WAY = "vtd_dmar_fault sid 0x4100 fault 6 addr 0x2010 write 0"


@dataclass(frozen=True)
class Violation:
    """As much of diagnosis.Violation as matters here."""

    rule: str = "iommu"
    direction: str = "write"
    fault: str = "0x2010"


class Agreement(unittest.TestCase):
    """Each party's objection alone must be enough."""

    def test_linux_says_it_in_its_own_words(self):
        self.assertEqual(self.judge(LINUX), [])
        for part, other in (("0x2000", "0x3000"), ("Write", "Read"), ("41:00.0", "40:00.0")):
            with self.subTest(part=part, other=other):
                self.assertTrue(self.judge([line.replace(part, other) for line in LINUX]))
        self.assertTrue(self.judge([*LINUX, "dmar_fault: 3 callbacks suppressed"]))
        self.assertTrue(self.judge([*LINUX, "DMAR: [DMA sneeze"]))

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
        self.assertIn("does not tell of all", self.judge([STARTED, SAID, line])[0])

    def test_a_line_that_cannot_be_read(self):
        self.assertIn("cannot read", self.judge([STARTED, SAID, "iommu: denied a sneeze"])[0])

    def test_a_denial_in_words(self):
        self.assertEqual(str(iommu.by_guest([SAID])[0]), "a write at page 0x2000 by 41:00.0")


class Pages(unittest.TestCase):
    """Where the device's addresses lead is what QEMU's IOMMU says."""

    SMALL = ("vtd_iotlb_page_update IOTLB page update sid 0x4100 iova 0xfffff010 "
             "slpte 0x1234003 domain 0x1")
    LARGE = ("vtd_iotlb_page_update IOTLB page update sid 0x4100 iova 0x80203000 "
             "slpte 0x40000083 domain 0x1")

    def judge(self, *pairs, ok=True):
        """The complaints about these claims."""
        point = SimpleNamespace(name="p", ok=ok, details={"pages": list(pairs)})
        return iommu.judge_pages([point], [self.SMALL, self.LARGE])

    def test_they_lead_there(self):
        self.assertEqual(self.judge("0xfffff000 0x1234000", "0x80203000 0x40003000"), [])

    def test_they_lead_elsewhere(self):
        for pair in ("0xfffff000 0x1235000", "0xffffe000 0x1234000", "0x80203000 0x40000000"):
            with self.subTest(pair):
                self.assertIn("knows nothing of", self.judge(pair)[0])


if __name__ == "__main__":
    unittest.main()
