# SPDX-License-Identifier: MIT
"""The card: formats, rates, periods, pause, suspend, position, on both kernels."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import linux
from linux import loop, same
from pcmaster.regmap import value

FORMATS = ("U8", "S8", "U16_LE", "S16_LE", "U32_LE", "S32_LE", "FLOAT_LE")
RATES = (4000, 8000, 11025, 12345, 22050, 44100, 96000, 192000)
SLEEP = ("echo devices > /sys/power/pm_test && echo 0 > /sys/module/suspend/parameters/"
         "pm_test_delay && echo mem > /sys/power/state")
PARAMETER = "/sys/module/snd_pcmaster/parameters/writeback"
POSITION = loop("position", period=4096, periods=16, frames=100000)

PERIODS, FEW = 100, 8
SILENCE = ("aplay -q -D hw:0,0 -t raw -f S16_LE -c 2 -r 48000 --period-size=480 "
           f"--buffer-size=1920 -s {480 * PERIODS} /dev/zero || held=17\n" + same("played", "true"))


def on_node(node):
    """The card's memory is to be of that node."""
    return same(f"the card is on node {node}",
                f'[ "$(cat /sys/bus/pci/drivers/snd_pcmaster/*:*/numa_node)" = {node} ]')


def formats():
    """Each format on one and two channels."""
    return "".join(loop(f"{name} {channels}", format=name, channels=channels, frames=6000)
                   for name in FORMATS for channels in (1, 2))


def rates():
    """Rates of all kinds."""
    return "".join(loop(f"rate {rate}", rate=rate, period=rate // 50, frames=rate // 3)
                   for rate in RATES)


def ways(prefix=""):
    """Ways to play: access, pause, sleep, periods."""
    return (loop(f"{prefix}mmap", access="mmap") + loop(f"{prefix}pause", pause=2)
            + loop(f"{prefix}two periods", periods=2, period=2048)
            + loop(f"{prefix}odd period", period=333, periods=5)
            + loop(f"{prefix}long ring", period=4096, periods=16, frames=100000)
            + loop(f"{prefix}suspend", command=SLEEP)
            + loop(f"{prefix}after suspend"))


class CardTest(linux.LinuxCase):
    """Content, time and the end of the stream of each."""

    def test_everything(self):
        self.boot(formats() + rates() + ways() + POSITION
                  + f"echo 1 > {PARAMETER}\n" + ways("written back, "), shape=linux.TWO)

    def test_a_millisecond(self):
        ten = {"period": 48, "periods": 8, "frames": 480000}
        self.boot(loop("1 ms for 10 s", **ten) + f"echo 1 > {PARAMETER}\n"
                  + loop("1 ms for 10 s, written back", **ten))

    def test_accesses(self):
        """A period costs one look at the position; written back, none."""
        for written_back, most in ((0, PERIODS + FEW), (1, FEW)):
            plan, _ = self.boot(f"echo {written_back} > {PARAMETER}\n" + SILENCE,
                                more=("-trace", "memory_region_ops_*", "-trace",
                                      "pcmaster_stream_ready"))
            log = (plan.out / "device.log").read_text()
            looks, told = (len(re.findall(
                rf"addr 0x\w+{value('STREAM', 0) + value(name):x} .* name 'pcmaster'", log))
                           for name in ("S_POSITION", "S_READY"))
            self.assertLessEqual(looks, most)
            self.assertGreater(looks, 0)
            self.assertEqual(told, 0)
            self.assertIn("the driver is at frame", log)

    def test_newer_kernel(self):
        self.boot(ways() + POSITION + "pcmaster-exercises --check-node || held=17\n",
                  series="6.12")

    def test_iommu(self):
        self.boot(ways() + "pcmaster-exercises --check-node || held=17\n", shape=linux.REMAPPED)

    def test_bounce_buffers(self):
        self.boot(loop("bounced") + loop("mmap, bounced", access="mmap"),
                  arguments=("swiotlb=force",), shape=linux.PLAIN)

    def test_message_and_line(self):
        for properties in ("msix=off", "msix=off,msi=off"):
            self.boot(ways(), properties=f"loopback=on,{properties}")

    def test_a_lesser_device(self):
        self.boot(loop("few lines") + loop("few lines, mmap", access="mmap"),
                  properties="loopback=on,addr-bits=28,boundary=64K,align=4096,grain=64,"
                             "burst=32768")

    def test_aligned(self):
        self.boot("aplay -q -D hw:0,0 -c 2 -f S16_LE -r 48000 -s 20000 -t raw --buffer-size=4096 "
                  "/dev/zero || held=17\n" + loop("a small ring", period=4096, periods=4),
                  properties="loopback=on,align=64K")

    def test_many_streams_two_cards(self):
        together = "".join(f"/loop 'card {card} stream {sub}' card={card} sub={sub} "
                           f"rate={8000 * (sub + 1)} || echo 'not ok - together' &\n"
                           for card in (0, 1) for sub in range(4))
        self.boot(together + "wait\n", properties="loopback=on,playback=4,capture=4",
                  devices=("pcmaster,audiodev=snd,loopback=on,playback=4,capture=4,bus=pcie.0",))

    def test_near_node(self):
        for node in (1, 2):     # of the card's bus, and another
            self.boot(on_node(node) + loop(f"node {node}"),
                      shape=linux.Shape(), properties=f"loopback=on,node={node}")

