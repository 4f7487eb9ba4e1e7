# SPDX-License-Identifier: MIT
"""scripts/run --driver: which devices a person's driver is for, and how a run of
one that is not pcmaster's went."""

import re

from pcmaster import boot, inf, judge, report, tap
from pcmaster.regmap import value
from pcmaster.ui import EXIT_FAILED, EXIT_HELD, Problem, printable

MISSING = re.compile(r"ldr: driver\.sys needs (.*), which the executive lacks")
COUNTED = re.compile(r"executive: devices for the driver: (\d+), started: (\d+)")
# All else in the log is what QEMU's devices say of a guest's mistakes.
EVENT = re.compile(r"(?:\d+@[\d.]+:)?(?:pcmaster|vtd)_\w+ ")
ID = re.compile(r"[!-~]+")
# This project's drivers, by the names of their images.
OURS = {"edu.sys": "edu.sys", "pcmaster.sys": "driver.sys"}


def comes_with_this(name):
    """Whether it is one of this project's drivers, by its name."""
    return str(name) in OURS and not name.exists()


def path_of(name, guest):
    """The file: one that is there, or one of this project's drivers."""
    return guest.images[OURS[str(name)]] if comes_with_this(name) else name


def ids_for(path, wanted):
    """The IDs of the driver's devices: those asked for, or those in the .inf
    beside it; none: nobody says."""
    if wanted:
        for name in wanted:
            if not ID.fullmatch(name):
                raise Problem(f"--hardware-id: no hardware ID: '{name}'")
        return wanted
    beside = _inf_of(path)
    if beside is None:
        return []
    found = inf.read(beside).hardware_ids()
    if not found:
        raise Problem(f"{beside} has no hardware ID for x64 Windows")
    return found


def _inf_of(path):
    """The .inf beside a driver, or None."""
    return next((other for other in path.parent.glob("*")
                 if other.stem == path.stem and other.suffix.lower() == ".inf"), None)


def keys_for(path):
    """What the guest is told of a driver of other devices than pcmaster: as on
    Windows, those have their lines unless an .inf asks for messages."""
    beside = _inf_of(path)
    messages = beside is None or inf.read(beside).asks_for_messages()
    return {"client": "none", "messages": "on" if messages else "off"}


def is_ours(ids):
    """Whether they are IDs of the pcmaster device, or nobody says."""
    own = f"PCI\\VEN_{value('PCI_VENDOR_ID'):04X}&DEV_{value('PCI_DEVICE_ID'):04X}"
    return not ids or any((name + "&").upper().startswith(own + "&") for name in ids)


def could_start(options, outcome):
    """Raises Problem if QEMU refused to start, or the guest a person's driver."""
    if outcome.status == boot.REFUSED and not outcome.lines:
        raise Problem(f"QEMU did not start:\n{outcome.tail()}")
    if options.driver and outcome.status == boot.COULD_NOT_START:
        _refused(options.driver, outcome)


def _refused(path, outcome):
    """Raises Problem: why a person's driver could not be started."""
    missing = [match[1] for match in map(MISSING.match, outcome.lines) if match]
    if missing:
        raise Problem(f"{path} could not be started: the executive lacks what it imports:\n"
                      + "\n".join(f"  {printable(name)}" for name in missing))
    if any(map(COUNTED.match, outcome.lines)) and not _counted(outcome)[0]:
        raise Problem(f"{path}: the machine has no device of those that the driver is for; "
                      "--device adds one. The console's last lines:\n" + outcome.tail())
    raise Problem(f"{path} could not be started. The console's last lines:\n"
                  + outcome.tail())


def run(programs, plan, options):
    """Starts and removes the driver's devices; prints what it said and its
    results; returns the exit status."""
    outcome = boot.run(programs, plan)
    could_start(options, outcome)
    results = tap.parse(outcome.lines)
    verdict = _judge(plan, outcome, results)
    report.keep(plan, outcome, results, verdict, None, programs)
    said = set(tap.lines_of(outcome.lines))
    for line in outcome.lines:
        if line not in said:
            print(printable(line))
    for line in _guest_errors(plan):
        print(f"QEMU: {printable(line)}")
    if results.points:
        print()
        report.table(results.points)
    report.stopped(plan, outcome)
    counts = f"{report.counts(results)}; " if results.points else ""
    report.summary(verdict.complaints, f"devices started: {_counted(outcome)[1]}; {counts}"
                   f"{outcome.seconds:.1f} s; kept in {options.out}/")
    return EXIT_FAILED if verdict.complaints else EXIT_HELD


def _counted(outcome):
    """How many devices there were for the driver, and how many it started."""
    counted = next(filter(None, map(COUNTED.match, outcome.lines)), None)
    return (int(counted[1]), int(counted[2])) if counted else (0, 0)


def _judge(plan, outcome, results):
    """It held if every device started and went, and nobody has a complaint."""
    complaints = judge.ended(outcome)
    found, started = _counted(outcome)
    if found != started:
        complaints.append(f"{found - started} of {found} devices did not start")
    if results.points or results.planned is not None:
        complaints += results.faults()
    complaints += [f"{point.name} did not hold" for point in results.failed]
    log = judge.device_log(plan.out / "device.log")
    complaints += log.broken + judge.denied(plan, outcome.lines, log)
    return judge.Verdict(complaints, log.violations)


def _guest_errors(plan):
    """What QEMU logged that is none of its events."""
    try:
        text = (plan.out / "device.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line and not EVENT.match(line)]
