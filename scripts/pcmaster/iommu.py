# SPDX-License-Identifier: MIT
"""What the IOMMU has denied: by the guest that programs it, and by QEMU's own log."""

import re
from dataclasses import dataclass

PAGE = 4096
SHOWN = 3
STARTED = ("iommu: the unit at ", "DMAR: Intel(R) Virtualization Technology for Directed I/O")
DENIED = re.compile(r"iommu: denied a (?P<direction>read|write) at page (?P<page>0x[0-9a-f]+) "
                    r"by (?P<bus>[0-9a-f]{2}):(?P<device>[0-9a-f]{2})\.(?P<function>[0-7]), "
                    r"reason \d+")
DENIED_BY_LINUX = re.compile(
    r"DMAR: \[DMA (?P<direction>Read|Write)[^]]*\] Request device "
    r"\[(?P<bus>[0-9a-f]{2}):(?P<device>[0-9a-f]{2})\.(?P<function>[0-7])\] "
    r"fault addr (?P<page>0x[0-9a-f]+)")
DENIED_NAME = ("iommu: denied", "DMAR: [DMA")
OVERFLOW = ("iommu: more was denied", "dmar_fault: ")      # Linux's: callbacks suppressed
EVENTS = ("vtd_dmar_fault", "vtd_iotlb_page_update")
FAULT = re.compile(r"vtd_dmar_fault sid 0x(?P<sid>[0-9a-f]+) fault \d+ "
                   r"addr 0x(?P<address>[0-9a-f]+) write (?P<write>[01])")
UPDATE = re.compile(r"vtd_iotlb_page_update .*?sid 0x(?P<sid>[0-9a-f]+) "
                    r"iova 0x(?P<iova>[0-9a-f]+) slpte 0x(?P<entry>[0-9a-f]+)")
LARGE, ADDRESS_BITS = 1 << 7, (1 << 52) - 1     # of an entry
LARGE_PAGE = 2 << 20


@dataclass(frozen=True)
class Denial:
    """An access that was not let pass."""

    requester: int      # bus << 8 | device << 3 | function
    page: int           # address of its first byte
    direction: str      # read, write

    def __str__(self):
        bus, devfn = self.requester >> 8, self.requester & 0xff
        return (f"a {self.direction} at page {self.page:#x} by {bus:02x}:"
                f"{devfn >> 3:02x}.{devfn & 7}")


def by_guest(lines):
    """What the guest read from the IOMMU's fault recording registers."""
    found = []
    for match in filter(None, map(_denied, lines)):
        devfn = int(match["device"], 16) << 3 | int(match["function"])
        found.append(Denial(int(match["bus"], 16) << 8 | devfn,
                            int(match["page"], 16), match["direction"].lower()))
    return found


def _denied(line):
    return DENIED.search(line) or DENIED_BY_LINUX.search(line)


def _has(line, names):
    return any(name in line for name in names)


def by_qemu(lines):
    """Every translation that failed, by QEMU's trace of its IOMMU: more than the
    IOMMU has room to record."""
    found = []
    for line in lines:
        match = FAULT.search(line)
        if match:
            address = int(match["address"], 16)
            found.append(Denial(int(match["sid"], 16), address - address % PAGE,
                                "write" if match["write"] == "1" else "read"))
    return found


def translations(lines):
    """What QEMU's IOMMU has translated: {(page of the device's, page of memory)}."""
    found = set()
    for match in filter(None, map(UPDATE.search, lines)):
        entry = int(match["entry"], 16)
        iova = int(match["iova"], 16)
        size = LARGE_PAGE if entry & LARGE else PAGE
        base = entry & ADDRESS_BITS & ~(size - 1)
        found.add((iova - iova % PAGE, base + iova % size - iova % PAGE))
    return found


def judge_pages(points, lines):
    """Where a buffer of these results is not the memory that the guest speaks of."""
    seen = translations(lines)
    pairs = [(point.name, *(int(number, 16) for number in pair.split())) for point in points
             if point.ok for pair in point.details.get("pages", [])]
    return [f"{name}: QEMU's IOMMU knows nothing of address {logical:#x} leading to "
            f"{physical:#x}" for name, logical, physical in pairs
            if (logical, physical) not in seen][:SHOWN]


def judge(said, log, violations):
    """Where guest, device and QEMU do not tell the same of the IOMMU; sentences.

    said: the lines in which the guest speaks of it. Each violation of the device's rule iommu must be among the guest's denials,
    which bear the requester that QEMU saw, and no denial may be left over.
    """
    if not any(_has(line, STARTED) for line in said):
        return ["the guest did not switch the IOMMU on"]
    complaints = [f"cannot read the guest's report: {line.strip()}" for line in said
                  if _has(line, DENIED_NAME) and not _denied(line)]
    complaints += ["the guest does not tell of all that the IOMMU has denied"
                   for line in said if _has(line, OVERFLOW)]
    said = by_guest(said)
    seen = by_qemu(log)
    complaints += [f"the guest speaks of {denial}, QEMU's IOMMU does not"
                   for denial in said if denial not in seen]
    pages = [(denial.page, denial.direction) for denial in said]
    for violation in violations:
        if violation.rule != "iommu":
            continue
        fault = int(violation.fault, 16)
        place = (fault - fault % PAGE, violation.direction)
        if place in pages:
            pages.remove(place)
        else:
            complaints.append(f"the device was denied a {violation.direction} at "
                              f"{violation.fault}, of which the IOMMU's fault record "
                              "says nothing")
    complaints += [f"the IOMMU denied a {direction} at page {page:#x}, of which the "
                   "device says nothing" for page, direction in pages]
    return complaints
