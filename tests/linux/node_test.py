# SPDX-License-Identifier: MIT
"""The device node under a root that means it ill, and what is left of that."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import linux
from linux import loop, same

ATTACK = "/hostile attack || held=17\n"
CHECK = "pcmaster-exercises --check-node || held=17\n"
# So that a program may see whether the device's windows are closed.
SEEN = ("iomem=relaxed",)
# Requests at random are violations, and behind an IOMMU are denied.
DUE = r"violation.* by the exerciser|violations more|DMAR: \[DMA"
HOLDING = """\
/hostile hold > /held & holder=$!
until grep -q holding /held; do usleep 1000; done
"""
RELEASED = """\
kill -0 $holder || held=17
touch /release
wait $holder || held=17
cat /held
"""
BIND = "/sys/bus/pci/drivers/snd_pcmaster"
UNBOUND = f"""\
rmmod snd_pcmaster 2>/dev/null && held=17
card=$(cd {BIND} && echo *:*)
echo $card > {BIND}/unbind
"""
PROVOKED = 200
MOST, WITHIN_S = 10, 5
SHOWN = re.compile(r"\[ *(\d+\.\d+)\] snd_pcmaster .*: violation of window by the exerciser")
MORE = re.compile(r"snd_pcmaster .*: (\d+) violations more were not shown")


class NodeTest(linux.LinuxCase):
    """Refused, undone or survived; and the device is as it was."""

    def test_attack(self):
        self.boot(CHECK + ATTACK + loop("after"), shape=linux.TWO, arguments=SEEN, log_may=DUE)

    def test_attack_with_iommu(self):
        self.boot(ATTACK + loop("after"), shape=linux.REMAPPED, arguments=SEEN, log_may=DUE)

    def test_attack_on_newer_kernel(self):
        self.boot(ATTACK + loop("after"), series="6.12", shape=linux.TWO, arguments=SEEN,
                  log_may=DUE)

    def test_unbound_while_held(self):
        for series in ("6.1", "6.12"):
            for shape in (linux.TWO, linux.REMAPPED):
                with self.subTest(series=series, iommu=shape.iommu):
                    self.boot(HOLDING + UNBOUND + RELEASED + f"echo $card > {BIND}/bind\n"
                              + CHECK + loop("bound again")
                              + same("unloaded", f"echo $card > {BIND}/unbind; "
                                     "rmmod snd_pcmaster"), series=series, shape=shape)

    def test_pulled_out_while_held(self):
        gone = "until [ ! -e /dev/pcmaster0 ]; do usleep 1000; done\n"
        plan = self.plan(HOLDING + "echo pull\n" + gone + RELEASED, more=self.qmp_words(),
                         realtime=True)
        self.look(plan, self.with_qmp(plan, {
            "pull": lambda qmp: qmp.execute("device_del", id="card0")}))

    def test_log_is_limited(self):
        plan, _ = self.boot(f"/hostile provoke {PROVOKED} || held=17\n", log_may=DUE)
        text = (plan.out / "kernel.log").read_text()
        self.assertRegex(text, r"violation of window .*; buffer: hostile \(pid \d+\), buffer 201, ")
        times = [float(time) for time in SHOWN.findall(text)]
        for first in times:
            self.assertLessEqual(sum(first <= time < first + WITHIN_S for time in times), MOST)
        self.assertEqual(len(times), MOST + 1)
        self.assertEqual(MORE.findall(text), [str(PROVOKED - MOST)])
        self.assertNotIn("callbacks suppressed", text)
        seen = (plan.out / "device.log").read_text().count("pcmaster_violation_window ")
        self.assertEqual(seen, PROVOKED + 1)
