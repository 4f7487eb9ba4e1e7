# SPDX-License-Identifier: MIT
"""What the IOMMU has denied: by the guest that programs it, and by QEMU's own log."""

import re
from dataclasses import dataclass

PAGE = 4096
STARTED = "iommu: the unit at "
DENIED = re.compile(r"iommu: denied a (?P<direction>read|write) at page (?P<page>0x[0-9a-f]+) "
                    r"by (?P<bus>[0-9a-f]{2}):(?P<device>[0-9a-f]{2})\.(?P<function>[0-7]), "
                    r"reason \d+")
DENIED_NAME = "iommu: denied"
OVERFLOW = "iommu: more was denied"
EVENT = "vtd_dmar_fault"
FAULT = re.compile(r"vtd_dmar_fault sid 0x(?P<sid>[0-9a-f]+) fault \d+ "
                   r"addr 0x(?P<address>[0-9a-f]+) write (?P<write>[01])")


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
    for match in filter(None, map(DENIED.search, lines)):
        devfn = int(match["device"], 16) << 3 | int(match["function"])
        found.append(Denial(int(match["bus"], 16) << 8 | devfn,
                            int(match["page"], 16), match["direction"]))
    return found


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


def judge(console, log, violations):
    """Where guest, device and QEMU do not tell the same of the IOMMU; sentences.

    Each violation of the device's rule iommu must be among the guest's denials,
    which bear the requester that QEMU saw, and no denial may be left over.
    """
    if not any(line.startswith(STARTED) for line in console):
        return ["the guest did not switch the IOMMU on"]
    said = by_guest(console)
    complaints = [f"cannot read the guest's report: {line.strip()}" for line in console
                  if DENIED_NAME in line and not DENIED.search(line)]
    complaints += ["the IOMMU had no room to record all that it denied"
                   for line in console if OVERFLOW in line]
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
