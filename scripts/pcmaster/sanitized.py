# SPDX-License-Identifier: MIT
"""Runs the qtests on a QEMU with sanitizers, and judges what they leave unrun.

As a test: the results of the qtests' cases, and one for the coverage of the
device. With --report: the coverage of each file, with the lines not run.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from pcmaster import coverage, packages, qemu, tap
from pcmaster.cache import Cache
from pcmaster.ui import EXIT_FAILED, EXIT_HELD, Step, command

# A finding ends QEMU, and with it the test that led there.
OPTIONS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1",
           "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1"}
POINT = re.compile(r"(not )?ok \d+(?: -)? ?(.*)$")     # as GLib writes it


def main():
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/python sanitized",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--report", action="store_true",
                        help="print each file's coverage in place of TAP")
    options = parser.parse_args()
    cache = Cache()
    with cache.lock():
        packages.ensure(cache)
        programs = qemu.ensure(cache, qemu.SANITIZED)
    with tempfile.TemporaryDirectory(prefix="pcmaster-") as folder:
        judge = report if options.report else test
        return judge(programs, Path(folder))


def test(programs, folder):
    """Runs the qtests as one test; returns the exit status."""
    relay = Relay()
    statuses = [run(program, environment(programs, folder), relay.line)
                for program in qtests(programs)]
    share = coverage.percent(coverage.measure(programs, folder))
    relay.point(share >= coverage.LEAST_PERCENT,
                f"the qtests run {share:.1f} % of the device's lines, "
                f"at least {coverage.LEAST_PERCENT:.0f} %")
    relay.end()
    return EXIT_FAILED if any(statuses) or relay.failed else EXIT_HELD


def report(programs, folder):
    """Prints the coverage of each file; returns the exit status."""
    failed = False
    with Step("qtests, measured") as step:
        for program in qtests(programs):
            failed |= run(program, environment(programs, folder),
                          lambda line: step.tick(), subprocess.DEVNULL) != 0
    for line in coverage.table(coverage.measure(programs, folder)):
        print(line)
    if failed:
        print("a qtest failed: the figures may be too low")
    return EXIT_FAILED if failed else EXIT_HELD


def qtests(programs):
    """The device's qtest programs in a folder of the cache."""
    return sorted(programs.glob("pcmaster-*test"))


def environment(programs, folder):
    """What a qtest is started with, so that its counters arrive in a folder."""
    return dict(os.environ, **OPTIONS, GCOV_PREFIX=str(folder),
                GCOV_PREFIX_STRIP="99",
                QTEST_QEMU_BINARY=str(programs / qemu.SYSTEM))


def run(program, env, hear, errors=None):
    """Runs one qtest and lets hear have each line; returns its exit status."""
    child = subprocess.Popen([program, "--tap", "-k"], env=env, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=errors)
    try:
        for line in child.stdout:
            hear(line)
        return child.wait()
    except BaseException:
        child.terminate()
        child.wait()
        raise


class Relay:
    """Makes one TAP stream of several, with points of our own."""

    def __init__(self, stream=None):
        self.stream = stream or sys.stdout
        self.count = self.failed = 0

    def line(self, text):
        """Takes over a line of a program's TAP; the plan comes at the end."""
        match = POINT.match(text)
        if match:
            self.point(not match[1], match[2])
        elif not tap.PLAN.match(text) and not text.startswith("TAP version"):
            self._print(text.rstrip("\n"))

    def point(self, held, name):
        """A result, with its directive if it has one."""
        self.count += 1
        self.failed += not held
        self._print(f"{'ok' if held else 'not ok'} {self.count} - {name}")

    def end(self):
        """The plan."""
        self._print(f"1..{self.count}")

    def _print(self, text):
        print(text, file=self.stream, flush=True)


if __name__ == "__main__":
    command(main)
