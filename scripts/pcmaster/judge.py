# SPDX-License-Identifier: MIT
"""Decides whether a run held, from the guest's word and from parties beside it.

The guest's results count only if its stream is whole, QEMU ended as agreed,
the device itself reported no violation, and the recording equals the input.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from pcmaster import boot, diagnosis
from pcmaster.ui import Problem

PLAY = "play"
SHOWN = 3


@dataclass(frozen=True)
class Verdict:
    """What came of a run: it held if there are no complaints."""

    complaints: list    # sentences
    violations: list    # diagnosis.Violation, by the device's own log


def exercises(guest, glob):
    """The names of the exercises that a glob selects; PLAY is none of them."""
    return [entry["name"] for entry in guest.exercises
            if fnmatchcase(entry["name"], glob)]


def fault(guest, name):
    """The entry of a fault: name, rule, about; Problem if there is none."""
    for entry in guest.faults:
        if entry["name"] == name:
            return entry
    known = ", ".join(entry["name"] for entry in guest.faults)
    raise Problem(f"no fault is named '{name}'; there are: {known}")


def judge(plan, outcome, results, comparison, due):
    """Judges a run that ought to hold; due: the names that must be there."""
    complaints = _boot(outcome) + results.faults()
    complaints += [f"{point.name} did not hold" for point in results.failed]
    present = {point.name for point in results.points}
    complaints += [f"{name} gave no result" for name in due if name not in present]
    violations, broken = device_log(plan.out / "device.log")
    complaints += broken
    if not any(point.details.get("expects_violation") for point in results.points):
        complaints += [f"the device reports a violation of {v.rule} at {v.fault}"
                       for v in violations[:SHOWN]]
    if comparison and not comparison.exact:
        complaints.append(f"the recording is not what was played: {comparison}")
    return Verdict(complaints, violations)


def judge_fault(plan, outcome, results, entry):
    """Judges a run of a faulty driver: it holds if the device caught it."""
    name, rule = entry["name"], entry["rule"]
    complaints = _boot(outcome) + results.faults()
    complaints += [f"{point.name} was not caught" for point in results.failed]
    point = next((p for p in results.points if p.name == f"fault/{name}"), None)
    if point is None:
        complaints.append(f"fault/{name} gave no result")
    violations, broken = device_log(plan.out / "device.log")
    complaints += broken
    policy = plan.keys["policy"]
    caught = [v for v in violations if v.rule == rule and v.policy == policy]
    if not caught:
        complaints.append(f"the device reports no violation of {rule} under {policy}")
    if point is not None and caught:
        complaints += _disagreement(point.details, caught)
    astray = any(v.landed not in (v.fault, diagnosis.NOWHERE) for v in caught)
    if astray and point is not None and not point.details.get("victim"):
        complaints.append("the guest does not say whose memory was overwritten")
    return Verdict(complaints, caught)


def device_log(path):
    """The violations in the device's log, and what is wrong with the log."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        violations = diagnosis.parse(text.splitlines())
    except (OSError, ValueError) as error:
        return [], [str(error)]
    if "pcmaster_reset" not in text:
        return [], [f"{path} holds no report of the device"]
    return violations, []


def _boot(outcome):
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
