# SPDX-License-Identifier: MIT
"""scripts/test: does the set-up, runs every test and counts them."""

import argparse
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter

from pcmaster import fuzz, kernel, prepare, process, qemu
from pcmaster.ui import EXIT_FAILED, EXIT_HELD, command

SUITES = {
    "unit": "the guest's own parts, on the host, under ASan and UBSan",
    "qtest": "the device without a guest",
    "scripts": "what scripts/run and scripts/overlay are made of",
    "fuzz": "a short run of each fuzz target, in a QEMU with ASan and UBSan",
    "guest": "exercises, faults, playback and scripts/run's errors, in a guest",
    "images": "the drivers as Windows would see them: their PE, imports and .inf files",
    "linux": "Debian's Linux as the guest: ALSA's programs and our module",
    "matrix": "every exercise on machines of every shape",
    "instruments": "QEMU's own tests of every device, its style and its migration checkers",
    "sanitizers": "the qtests under ASan and UBSan, and the device's line coverage",
}
# Only if asked for: each takes many minutes, or much room.
MORE_SUITES = {
    "versions": "the device and its qtests in QEMU 10.2",
    "windows": "Wine loads the drivers and installs them by their .inf (100 MB to download)",
    "mutation": "breaks the device on purpose, change by change; the qtests notice",
}
# Debian packages that no other suite needs.
PACKAGES = {"guest": ["clang"], "images": ["python3-pefile"], "windows": ["wine64"],
            "linux": list(kernel.PACKAGES)}
KINDS = {"sanitizers": qemu.SANITIZED}
PROJECT = "pcmaster"
JUNIT = "meson-logs/testlog.junit.xml"
REPORT = "meson-logs/testlog.json"
LOG = "meson-logs/testlog.txt"


def parse(argv=None):
    """The options of scripts/test."""
    parser = argparse.ArgumentParser(
        prog="test", description="Builds what is missing and runs the tests. The "
        "last line says how many passed, failed and were skipped; the exit status "
        "is 0 only if none failed and some ran.")
    parser.add_argument("--suite", action="append", choices=SUITES | MORE_SUITES,
                        default=[], help="only this suite; may be given several times; "
                        + " and ".join(MORE_SUITES) + " run only so")
    parser.add_argument("--list", action="store_true",
                        help="list the suites, and run nothing")
    return parser.parse_args(argv)


def main(argv=None):
    """The command line of scripts/test; returns the exit status."""
    options = parse(argv)
    if options.list:
        for name, about in (SUITES | MORE_SUITES).items():
            print(f"{name:11} {about}{' (if asked for)' if name in MORE_SUITES else ''}")
        return EXIT_HELD
    suites = options.suite or SUITES
    kinds = [KINDS[name] for name in suites if name in KINDS]
    more = [package for name in suites for package in PACKAGES.get(name, [])]
    cache, _, guest = prepare.everything(kinds, more)
    if "fuzz" in suites:
        fuzz.prepare(cache)
    run(guest.folder, options.suite)
    return conclude(guest.folder)


def run(folder, suites):
    """Runs meson's tests; what they print reaches the terminal at once."""
    for old in (JUNIT, REPORT):
        (folder / old).unlink(missing_ok=True)
    words = ["meson", "test", "-C", str(folder), "--print-errorlogs"]
    for suite in suites:
        words += ["--suite", suite]
    child = subprocess.Popen(words, env=process.build_environment(),
                             stdin=subprocess.DEVNULL, stdout=sys.stdout)
    try:
        child.wait()
    except BaseException:
        child.terminate()
        child.wait()
        raise


def conclude(folder):
    """Prints the closing lines from meson's reports; returns the exit status."""
    try:
        cases = ElementTree.parse(folder / JUNIT).getroot()
        programs = [json.loads(line) for line in
                    (folder / REPORT).read_text(encoding="utf-8").splitlines()]
        count, failed = tally(cases, programs)
    except (OSError, ValueError, ElementTree.ParseError) as error:
        count, failed = Counter(failed=1), [f"meson's report of its tests: {error}"]
    print()
    for name in failed:
        print(f"FAILED {name}")
    if failed:
        print(f"the whole log: {folder / LOG}")
    print("{} passed, {} failed, {} skipped".format(
        count["passed"], count["failed"], count["skipped"]))
    return EXIT_HELD if count["passed"] and not count["failed"] else EXIT_FAILED


def tally(cases, programs):
    """Counts the cases of all test programs: (Counter, names that failed).

    cases: the JUnit report. programs: meson's own result of each program; one
    that fails beside its cases, by its exit status or too few of them, counts
    as a failed case more.
    """
    count, failed, named = Counter(), [], set()
    for suite in cases.iter("testsuite"):
        for case in suite.iter("testcase"):
            outcome = _outcome(case)
            count[outcome] += 1
            if outcome == "failed":
                program, name = _names(suite, case)
                named.add(program)
                failed.append(f"{program}: {name}" if name else program)
    for program in programs:
        if program["result"] not in ("OK", "SKIP") and program["name"] not in named:
            count["failed"] += 1
            failed.append(f"{program['name']}: {program['result']}, "
                          f"exit status {program['returncode']}")
    return count, failed


def _names(suite, case):
    """A case's program and its own name; a program without cases is a case
    of the project."""
    program = suite.get("name").removeprefix(PROJECT).removeprefix(".")
    return (program, case.get("name")) if program else (case.get("name"), "")


def _outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


if __name__ == "__main__":
    command(main)
