# SPDX-License-Identifier: MIT
"""A bug check on the guest's console, and the verifier's report before it.

What is read here is printed by the executive's ke/bugcheck.c and hal/verify.c.
"""

import re
from dataclasses import dataclass, field

from pcmaster import symbols

HEADING = re.compile(r"\*\*\* bug check (0x[0-9a-f]+) (.+) at IRQL (\d+)$")
PLACE = r"(\S+)\+(0x[0-9a-f]+)"
INSTRUCTION = re.compile(rf"    instruction [0-9a-f]+ = {PLACE}$")
CALLER = re.compile(rf"        {PLACE}$")
RULE = re.compile(r"verifier: (?P<routine>.+?): (?P<text>.+) "
                  r"\((?P<name>[a-z0-9-]+), (?P<code>0x[0-9a-f]+)\)$")
BUFFER = re.compile(r"verifier: (buffer|registers) (.+)$")
VALUE = re.compile(r"verifier: (expected|actual|changed|detail) (.+)$")
SITE = re.compile(r"verifier: (allocated|freed|granted|adapter made) by (\S+) at(.*)$")
CALLERS_SHOWN = 6
# Where a rule of the executive is broken is not where its own code noticed it.
DRIVER = "driver.sys"
CLIENT = "client.sys"


@dataclass(frozen=True)
class Site:
    """Where a routine was called: places are (module, offset), last call first."""

    routine: str
    places: list


@dataclass
class Report:
    """What the verifier says of a broken rule."""

    routine: str
    text: str
    name: str
    code: int
    values: dict = field(default_factory=dict)  # expected, actual, changed, detail
    buffer: str = ""
    registers: str = ""
    sites: dict = field(default_factory=dict)   # what happened there -> Site


@dataclass
class BugCheck:
    """A bug check."""

    code: int
    name: str
    irql: int
    instruction: tuple = None                       # (module, offset) of a trap
    callers: list = field(default_factory=list)     # (module, offset)
    report: Report = None                           # the verifier's, if it has one

    def places(self):
        """The call stack, the instruction first."""
        return [self.instruction] * (self.instruction is not None) + self.callers


def parse(lines):
    """The BugCheck in the lines of a console, or None."""
    found, report = None, None
    for line in lines:
        match = RULE.match(line)
        if match:
            report = Report(match["routine"], match["text"], match["name"],
                            int(match["code"], 16))
        elif report and not found:
            _more(report, line)
        match = HEADING.match(line)
        if match:
            found = BugCheck(int(match[1], 16), match[2], int(match[3]), report=report)
        elif found:
            _place(found, line)
    return found


def _more(report, line):
    """Adds what a line of the verifier says."""
    if match := VALUE.match(line):
        report.values[match[1]] = match[2]
    elif match := BUFFER.match(line):
        setattr(report, match[1], match[2])
    elif match := SITE.match(line):
        report.sites[match[1]] = Site(match[2], [_pair(*word.rsplit("+", 1))
                                                 for word in match[3].split()])


def _place(check, line):
    if match := INSTRUCTION.match(line):
        check.instruction = _pair(*match.groups())
    elif match := CALLER.match(line):
        check.callers.append(_pair(*match.groups()))


def _pair(module, offset):
    return module, int(offset, 16)


def culprit(check, images):
    """The symbols.Frame in the driver (or else the client) that did it, or None."""
    for module in (DRIVER, CLIENT):
        for frame in stack(check, images):
            if frame.module == module:
                return frame
    return None


def stack(check, images):
    """The call stack as symbols.Frames; inlined functions have frames of their own."""
    exact = check.instruction is not None
    return symbols.resolve(check.places(), images, exact)


def rows(check, images):
    """The report as pairs of a name and a text for a person.

    images: the name of a module -> the path of its image.
    """
    report = check.report
    if report:
        yield "rule", f"{report.name} ({report.code:#x}): {report.routine}: {report.text}"
        yield from ((key, report.values[key]) for key in ("detail", "expected", "actual",
                                                              "changed")
                    if key in report.values)
    else:
        yield "bug check", f"{check.code:#x} {check.name}, at IRQL {check.irql}"
    yield from _frames("in", stack(check, images))
    if report and report.buffer:
        yield "buffer", _buffer(report.buffer)
    if report and report.registers:
        yield "registers", _registers(report.registers)
    for what, site in (report.sites.items() if report else ()):
        yield from _frames(f"{what} in", symbols.resolve(site.places, images),
                           f", by {site.routine}")


def summary(check, images):
    """What results.json says of it."""
    frame = culprit(check, images)
    found = {"code": hex(check.code), "name": check.name}
    if check.report:
        found |= {"rule": check.report.name, "rule_code": hex(check.report.code),
                  "routine": check.report.routine}
    if frame:
        found |= {"function": frame.function, "file": frame.file, "line": frame.line}
    return found


def _frames(name, frames, after=""):
    """Rows of the driver's frames, or else the client's: of the executive's none."""
    shown = [frame for frame in frames if frame.module == DRIVER] or [
        frame for frame in frames if frame.module == CLIENT]
    for number, frame in enumerate(shown[:CALLERS_SHOWN]):
        yield (name if number == 0 else "  called by",
               f"{frame}{after if number == 0 else ''}")


def _registers(text):
    """'3 of a list mapped 10 flushed 0' as a person writes it."""
    match = re.match(r"(\d+) of (.+) mapped (\d+) flushed (\d+)$", text)
    return (f"{match[1]} map registers of {match[2]}, {match[3]} bytes mapped, "
            f"{match[4]} flushed") if match else text


def _buffer(text):
    """'logical 0x1000 length 4096 cached virtual ff node 1' as a person writes it."""
    match = re.match(r"logical (\S+) length (\d+) (cached|uncached) virtual (\S+)(?: node "
                     r"(\d+))?$", text)
    if not match:
        return text
    node = f", on node {match[5]}" if match[5] else ""
    return (f"{match[2]} bytes at logical {match[1]}, {match[3]}{node}, virtual "
            f"0x{match[4]}")
