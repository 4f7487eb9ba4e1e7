# SPDX-License-Identifier: MIT
"""Boots Linux guests with jobs of their own, for the tests in this folder."""

import functools
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from pcmaster import boot, kernel, linuxguest, linuxrun, machine
from pcmaster.qmp import Qmp
from pcmaster.shape import Shape

PATIENCE = 120
PLAIN = Shape(nodes=1, cpus=1, memory=512)
TWO = Shape(nodes=1, cpus=2, memory=512)
REMAPPED = Shape(nodes=1, cpus=2, memory=512, iommu=True)
POINT = re.compile(r"(not ok|ok) (?:\d+ )?- (.*)$")
TOOLS = ("loop", "hostile", "streams")
PROGRAMS = Path(os.environ["PCMASTER_BUILD"], "tests/linux/guest")


@functools.lru_cache(maxsize=None)
def prepared(series=kernel.SERIES):
    """(cache, QEMU's folder, the guest of a kernel series)."""
    cache, programs, _, linux = linuxrun.prepared(series=series)
    return cache, programs, linux


@functools.lru_cache(maxsize=None)
def mistaken(series=kernel.SERIES):
    """The module that can be told to make mistakes."""
    cache, _, _ = prepared(series)
    with cache.lock():
        return linuxguest.build_module(cache, kernel.debian(cache, series),
                                       mistakes=True).read_bytes()


class LinuxCase(unittest.TestCase):
    """A case that boots; its message holds what the guest said."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pcmaster-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def plan(self, job, series=kernel.SERIES, **more):
        """A plan with the programs of guest/ at hand; job gets its end."""
        _, _, linux = prepared(series)
        files = {name: (PROGRAMS / f"pcmaster-{name}").read_bytes() for name in TOOLS}
        files |= more.pop("files", {})
        return linuxrun.Plan(guest=linux, out=self.folder, files=files,
                             **{"shape": PLAIN, **more},
                             job=f"held=16\nchmod 755 {' '.join(TOOLS)}\n" + job + linuxrun.END)

    def boot(self, job, log_may=None, **more):
        """Boots, and looks at the end, the results and the kernel's log.

        log_may: a pattern of the module's own lines that are due in the log.
        """
        plan = self.plan(job, **more)
        _, programs, _ = prepared()
        outcome = linuxrun.run_plan(programs, plan)
        self.look(plan, outcome, log_may)
        return plan, outcome

    def qmp_words(self):
        """A QMP socket in the folder of the test."""
        return ("-qmp", f"unix:{machine.quoted(self.folder / 'qmp')},server=on,wait=off")

    def with_qmp(self, plan, acts):
        """Boots, and does what belongs to a line of the console when it comes."""
        _, programs, _ = prepared()
        linuxrun.write_initramfs(plan)
        words = linuxrun.command(programs, plan)
        lines = []
        qmp = None
        with open(self.folder / "qemu.log", "w+b") as errors, \
                subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=errors) as child:
            watch = threading.Timer(3 * PATIENCE, child.kill)
            watch.start()
            try:
                qmp = Qmp(self.folder / "qmp")
                for line in child.stdout:
                    lines.append(line.decode(errors="replace").rstrip())
                    if lines[-1] in acts:
                        acts[lines[-1]](qmp)
                status = child.wait(PATIENCE)
            finally:
                watch.cancel()
                child.kill()
                if qmp:
                    qmp.close()
        return boot.Boot(status, lines, PATIENCE, False, 0, "")

    def look(self, plan, outcome, log_may=None):
        """What every run must have shown."""
        said = "\n".join(outcome.lines[-60:]) + outcome.errors
        self.assertEqual(outcome.status, boot.HELD, said)
        points = [POINT.match(line) for line in outcome.lines]
        points = [point for point in points if point]
        bad = [point[2] for point in points if point[1] != "ok"]
        self.assertEqual(bad, [], said)
        self.assertTrue(points, said)
        complaints = [line for line in linuxrun.log_complaints(plan, outcome)
                      if not (log_may and re.search(log_may, line))]
        self.assertEqual(complaints, [], said)


def loop(name, **options):
    """A line of a job that runs pcmaster-loop; a failure is one of the guest's."""
    words = " ".join(f"'{key}={value}'" for key, value in options.items())
    return f"/loop '{name}' {words} || held=17\n"


def streams(what, value):
    """The same for pcmaster-streams."""
    return f"/streams {what} {value} || held=17\n"


def same(name, condition):
    """A line of a job that makes a result of a shell's condition."""
    return (f"if {condition}; then echo 'ok - {name}'; "
            f"else echo 'not ok - {name}'; held=17; fi\n")
