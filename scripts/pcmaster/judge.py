# SPDX-License-Identifier: MIT
"""Decides whether a run held, from the guest's word and from parties beside it.

The guest's results count only if its stream is whole, QEMU ended as agreed,
the device itself reported the same DMA and no violation but those that an
exercise provokes, and the recording equals the input.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pcmaster import boot, bugcheck, constraint, diagnosis, iommu, tap
from pcmaster.ui import Problem

SHOWN = 3
PROVOKED = ("rule", "direction", "address", "length", "fault", "landed", "policy")


@dataclass(frozen=True)
class Log:
    """The device's own report."""

    violations: list = field(default_factory=list)  # diagnosis.Violation
    moved: diagnosis.Transferred = diagnosis.Transferred()
    broken: list = field(default_factory=list)      # sentences: why it is worth nothing
    lines: list = field(default_factory=list)       # all of it


@dataclass(frozen=True)
class Verdict:
    """What came of a run: it held if there are no complaints."""

    complaints: list    # sentences
    violations: list    # diagnosis.Violation, by the device's own log
    denials: list = field(default_factory=list)     # iommu.Denial, by the guest


def exercises(guest, glob):
    """The names of the exercises that a glob selects; tap.PLAY is none of them."""
    return [entry["name"] for entry in guest.exercises
            if fnmatchcase(entry["name"], glob)]


def fault(guest, name):
    """The entry of a fault or a mistake: name, rule, about; Problem if there is none."""
    for entry in guest.faults + guest.mistakes:
        if entry["name"] == name:
            return entry
    known = ", ".join(entry["name"] for entry in guest.faults + guest.mistakes)
    raise Problem(f"no fault is named '{name}'; there are: {known}")


def judge(plan, outcome, results, comparisons, due, said=None):
    """Judges a run that ought to hold; due: the names that must be there.
    comparisons: of recordings, None for those that were not made. said: the lines
    in which the guest speaks of its IOMMU, if not on the console."""
    complaints = ended(outcome) + results.faults()
    complaints += [f"{point.name} did not hold" for point in results.failed]
    complaints += _missing(results, due)
    log = device_log(plan.out / "device.log")
    complaints += log.broken
    complaints += _provoked(results.points, log.violations)
    complaints += _moved(results, log) + denied(plan, said or outcome.lines, log)
    complaints += iommu.judge_pages(results.points, log.lines)
    complaints += [line for point in results.points for line in _point(point, plan.shape)]
    complaints += constraint.judge(results.points, log.lines)
    complaints += [f"the recording is not what was played: {comparison}"
                   for comparison in comparisons if comparison and not comparison.exact]
    complaints += [line for comparison in comparisons if comparison
                   for line in comparison.unheard]
    return Verdict(complaints, log.violations)


def judge_fault(plan, outcome, results, entry):
    """Judges a run of a faulty driver: it holds if the device caught it."""
    name, rule = entry["name"], entry["rule"]
    complaints = ended(outcome) + results.faults()
    complaints += [f"{point.name} was not caught" for point in results.failed]
    point = next((p for p in results.points if p.name == f"fault/{name}"), None)
    if point is None:
        complaints.append(f"fault/{name} gave no result")
    log = device_log(plan.out / "device.log")
    complaints += log.broken + _moved(results, log) + denied(plan, outcome.lines, log)
    policy = plan.keys["policy"]
    caught = [v for v in log.violations if v.rule == rule and v.policy == policy]
    if not caught:
        complaints.append(f"the device reports no violation of {rule} under {policy}")
    if point is not None and caught:
        complaints += _disagreement(point.details, caught)
    astray = any(v.landed not in (v.fault, diagnosis.NOWHERE) for v in caught)
    if astray and point is not None and not point.details.get("victim"):
        complaints.append("the guest does not say whose memory was overwritten")
    return Verdict(complaints, caught, iommu.by_guest(outcome.lines))


def judge_mistake(outcome, entry):
    """Judges a run of a driver whose mistake the guest's verifier must stop."""
    check = bugcheck.parse(outcome.lines)
    if outcome.status != boot.BUG_CHECK or not check:
        complaints = [f"{entry['name']} was not stopped: {outcome.ended}"]
    elif not check.report:
        complaints = [f"{entry['name']} ended in bug check {check.code:#x}, without a "
                      "report of the verifier"]
    elif check.report.name != entry["rule"]:
        complaints = [f"the verifier reports {check.report.name}, not {entry['rule']}"]
    else:
        complaints = []
    return Verdict(complaints, [])


def device_log(path):
    """The device's log."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = text.splitlines()
        log = Log(diagnosis.parse(lines), diagnosis.transferred(lines), lines=lines)
    except (OSError, ValueError) as error:
        return Log(broken=[str(error)])
    if "pcmaster_reset" not in text:
        return Log(broken=[f"{path} holds no report of the device"])
    return log


def denied(plan, said, log):
    """Where the parties do not agree on what the IOMMU has denied."""
    if not plan.shape.iommu or log.broken:
        return []
    return iommu.judge(said, log.lines, log.violations)


def _provoked(points, violations):
    """Where the device's violations are not exactly those that were provoked."""
    due = [tuple(str(violation.get(key)) for key in PROVOKED) for point in points
           if point.details.get("expects_violation")
           for violation in point.details.get("violations", [])]
    complaints = []
    for violation in violations:
        seen = tuple(getattr(violation, key) for key in PROVOKED)
        if seen in due:
            due.remove(seen)
        else:
            complaints.append(f"the device reports a violation of {violation.rule} "
                              f"at {violation.fault}")
    complaints = complaints[:SHOWN]
    complaints += [f"the device does not report the violation of {rule} by a "
                   f"{direction} of {address} that was provoked"
                   for rule, direction, address, *_ in due[:SHOWN]]
    return complaints


def _moved(results, log):
    """Where the DMA that the guest speaks of is not what the device did."""
    if log.broken or results.failed:
        return []
    complaints = []
    for key, words in (("filled", "written"), ("verified", "read and found right")):
        said = sum(point.details.get(key, 0) for point in results.points)
        done = getattr(log.moved, key)
        if said != done:
            complaints.append(f"the guest speaks of {said} bytes that the device has "
                              f"{words}, the device of {done}")
    return complaints


def _point(point, shape):
    """What is wrong with one result that is said to have held on that machine."""
    details = point.details
    if not point.ok or point.skipped is not None or point.name == tap.PLAY:
        return
    if not details.get("no_dma"):
        for key in ("filled", "verified"):
            if not details.get(key):
                yield f"{point.name}: there was no DMA ({key} is 0)"
    if details.get("processors", shape.cpus) != shape.cpus:
        yield (f"{point.name}: threads ran on {details['processors']} processors of "
               f"{shape.cpus}")
    if "instead" in details:
        node = min(details["instead"],
                   key=lambda n: (shape.distance(details["preferred"], n), n))
        if details.get("node") != str(node):
            yield (f"{point.name}: the memory is on node {details.get('node')}, but "
                   f"{node} is the nearest that has any")


def _missing(results, due):
    """The names without a result, as sentences; a guest that stopped has many."""
    present = {point.name for point in results.points}
    names = [name for name in due if name not in present]
    complaints = [f"{name} gave no result" for name in names[:SHOWN]]
    if names[SHOWN:]:
        complaints.append(f"{len(names) - SHOWN} more gave no result")
    return complaints


def ended(outcome):
    """That the guest did not end well, as sentences."""
    if outcome.status == boot.HELD and not outcome.silent:
        return []
    return [outcome.ended]


def _disagreement(details, caught):
    """Where the guest's account of a fault differs from the device's."""
    said = details.get("address")
    if said is None:
        return ["the guest does not say which address was faulty"]
    if any(int(v.address, 16) == int(said, 0) for v in caught):
        return []
    return [f"the guest speaks of address {said}, the device of {caught[0].address}"]
