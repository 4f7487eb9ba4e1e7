# SPDX-License-Identifier: MIT
"""The machine sleeps, S3, while streams play and pause; all go on at the same frame."""

import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import linux
from linux import loop

ASLEEP = "asleep"
SLEEP = f"echo {ASLEEP}; echo mem > /sys/power/state"
# One stream plays, another pauses, and a third brings the sleep about.
JOB = (loop("plays", sub=0, frames=240000, command=":").replace("\n", " &\n")
       + loop("pauses", sub=1, frames=240000, rate=44100, pause=1,
              command="while [ ! -e /slept ]; do usleep 1000; done").replace("\n", " &\n")
       + "usleep 400000\n"
       + loop("sleeps", sub=2, frames=48000, command=f"{SLEEP}; touch /slept")
       + "wait\n" + "".join(loop(f"after it, {sub}", sub=sub) for sub in range(3)))


class SleepTest(linux.LinuxCase):
    """QEMU puts an ELF file back where it was at each reset, and to wake is one: so it
    boots what Debian has, which is no ELF file."""

    def sleep(self, series, **more):
        """Boots, sleeps, is woken by QMP."""
        _, _, guest = linux.prepared(series)
        guest = dataclasses.replace(guest, vmlinux=guest.vmlinux.with_name("vmlinuz"))

        def wake(qmp):
            qmp.wait_for("query-status", "suspended")
            qmp.execute("system_wakeup")

        plan = self.plan(JOB, more=self.qmp_words(),
                         properties="loopback=on,playback=3,capture=3", **more)
        plan = dataclasses.replace(plan, guest=guest)
        outcome = self.with_qmp(plan, {ASLEEP: wake})
        self.assertIn(ASLEEP, outcome.lines)
        self.look(plan, outcome)

    def test_sleep(self):
        self.sleep("6.1")

    def test_newer_kernel(self):
        self.sleep("6.12")

    def test_iommu(self):
        self.sleep("6.1", shape=linux.REMAPPED)
