# SPDX-License-Identifier: MIT
"""What the device itself says of a violation, read from QEMU's trace log."""

import re
from dataclasses import dataclass

EVENT = re.compile(
    r"pcmaster_violation_(?P<rule>\w+) address (?P<address>0x[0-9a-f]+) "
    r"length (?P<length>\d+) (?P<direction>.+?) requester (?P<requester>\d+) "
    r"(?P<expected_is>\D.*?) (?P<expected>0x[0-9a-f]+|\d+) "
    r"(?P<actual_is>\D.*?) (?P<actual>0x[0-9a-f]+|\d+) "
    r"fault (?P<fault>0x[0-9a-f]+) landed (?P<landed>0x[0-9a-f]+) "
    r"policy (?P<policy>\w+)")
NAME = "pcmaster_violation_"
COMMAND_END = re.compile(
    r"pcmaster_exerciser_end command (?P<command>\d+) result (?P<result>\d+) "
    r"transferred (?P<done>\d+) mismatches (?P<mismatches>\d+)")
COMMAND_NAME = "pcmaster_exerciser_end"
FILL, VERIFY, OK = 1, 2, 0
NOWHERE = "0xffffffffffffffff"
EXERCISER = 255
RULES = {
    "limit": "the last byte lies beyond the addresses that the device can reach",
    "boundary": "the transfer crosses an address boundary that it must not cross",
    "window": "the transfer leaves the memory that was given to the device",
    "node": "the memory is not on the expected NUMA node",
    "target": "the address is no memory",
    "align": "the buffer does not start where the device can start",
    "grain": "the buffer's length is not one that the device can count",
    "burst": "the buffer is longer than the device can transfer at a time",
    "iommu": "the IOMMU does not let this access pass",
}


@dataclass(frozen=True)
class Violation:
    """One violation as the device traced it; numbers as the device wrote them."""

    rule: str
    address: str
    length: str
    direction: str
    requester: str
    expected_is: str
    expected: str
    actual_is: str
    actual: str
    fault: str
    landed: str
    policy: str

    def rows(self):
        """The diagnosis, as pairs of a name and a text for a person."""
        first, length = int(self.address, 16), int(self.length)
        who = ("the exerciser" if int(self.requester) == EXERCISER
               else f"stream {self.requester}")
        yield "rule", f"{self.rule}: {RULES.get(self.rule, 'unknown to this script')}"
        yield "address", f"{first:#x} to {first + length - 1:#x}"
        yield "length", f"{length} bytes"
        yield "direction", f"{self.direction}, by {who}"
        yield "expected", _value(self.expected_is, self.expected)
        yield "actual", _value(self.actual_is, self.actual)
        yield "first bad byte", self.fault
        yield "landed", ("nowhere: nothing was transferred" if self.landed == NOWHERE
                         else f"at {self.landed}")
        yield "policy", self.policy


@dataclass(frozen=True)
class Transferred:
    """Bytes that the device's exerciser moved in commands that ended well."""

    filled: int = 0     # written to memory
    verified: int = 0   # read and found to be the pattern


def _value(what, value):
    """What the device compared, without the row's own name; all ones: none."""
    what = what.removeprefix("expected ").removeprefix("actual ")
    return f"{what} {'none' if value == NOWHERE else value}"


def parse(lines):
    """The violations in the lines of a trace log, in the order they happened."""
    found = []
    for line in lines:
        match = EVENT.search(line)
        if match:
            found.append(Violation(**match.groupdict()))
        elif NAME in line:
            raise ValueError(f"cannot read the device's report: {line.strip()}")
    return found


def transferred(lines):
    """What the exerciser moved, by the lines of a trace log."""
    moved = {FILL: 0, VERIFY: 0}
    for line in lines:
        match = COMMAND_END.search(line)
        if match:
            command, result, done, mismatches = map(int, match.groups())
            if command in moved and result == OK and not mismatches:
                moved[command] += done
        elif COMMAND_NAME in line:
            raise ValueError(f"cannot read the device's report: {line.strip()}")
    return Transferred(moved[FILL], moved[VERIFY])
