# SPDX-License-Identifier: MIT
"""The Linux benchmarks: what they read from the guest and from QEMU, and their verdicts."""

import subprocess
import unittest
from array import array

from pcmaster import linuxbench, linuxcards, linuxperiods
from pcmaster.figures import Table

TRACE = """\
memory_region_ops_read cpu 0 mr 0x55 addr 0xfe604030 value 0x400 size 4 name 'pcmaster'
memory_region_ops_write cpu 0 mr 0x55 addr 0xfe607fff value 0x1 size 1 name 'pcmaster'
memory_region_ops_write cpu 0 mr 0x56 addr 0xfe60a010 value 0x1 size 4 name 'msix-table'
memory_region_ops_write cpu -1 mr 0x55 addr 0xfe604000 value 0x1 size 4 name 'pcmaster'
memory_region_ops_read cpu 0 mr 0x57 addr 0xfe608000 value 0x1 size 4 name 'another'
memory_region_ops_read cpu 0 mr 0x58 addr 0xc510 value 0x1 size 4 name 'es1370'
apic_mem_writel 0xfe604030 = 0x0
"""
RESOURCES = """\
0x00000000fe604000 0x00000000fe607fff 0x0000000000040200
0x00000000fe60a000 0x00000000fe60afff 0x0000000000040200
0x0000000000000000 0x0000000000000000 0x0000000000000000
""".splitlines()
INTERRUPTS = """\
           CPU0       CPU1
  4:        144         12   IO-APIC   4-edge      ttyS0
 25:          3          0  PCI-MSIX-0000:00:08.0   0-edge      snd_pcmaster
 26:       1200          0  PCI-MSIX-0000:00:08.0   1-edge      snd_pcmaster
NMI:          9          9   Non-maskable interrupts
""".splitlines()


class ReadingTest(unittest.TestCase):

    def test_accesses_are_a_processors_and_the_cards(self):
        ranges = linuxcards.parse_resources(RESOURCES)
        self.assertEqual(ranges, [(0xfe604000, 0xfe607fff), (0xfe60a000, 0xfe60afff)])
        self.assertEqual(linuxcards.count_accesses(TRACE, ranges), 3)
        self.assertEqual(linuxcards.count_accesses(TRACE, [(0xc500, 0xc5ff)]), 1)

    def test_interrupts_are_the_cards(self):
        self.assertEqual(linuxcards.count_interrupts(INTERRUPTS, {25, 26}), 1203)
        self.assertEqual(linuxcards.count_interrupts(INTERRUPTS, {4}), 156)

    def test_lines_of_interrupts_are_not_shared(self):
        """q35 wires a slot's pin A to one of four lines, in turn."""
        lines = [linuxcards.CARDS[name].slot % 4 for name in ("AC97", "ES1370")]
        self.assertEqual(len(set(lines)), 2)

    def test_every_card_has_its_own_place_and_back_end(self):
        words = linuxcards.devices("/a,b")
        sounds = [word for word in words if word.startswith("wav,")]
        self.assertEqual(len(set(sounds)), len(linuxcards.CARDS))
        self.assertIn("path=/a,,b/card6.wav,out.frequency=48662", sounds[2])
        self.assertEqual(len({card.address for card in linuxcards.CARDS.values()}),
                         len(linuxcards.CARDS))

    def test_the_guests_shell_understands_the_job(self):
        subprocess.run(["sh", "-n"], input=linuxcards.JOB, text=True, check=True)


class VerdictTest(unittest.TestCase):

    def filled(self, ours):
        """A table in which each peer costs 20 more than the idle guest's 5."""
        table = Table()
        for name in [linuxbench.IDLE, *linuxbench.PEERS, *linuxbench.OURS]:
            cost = ours if name in linuxbench.OURS else 20
            for what in linuxbench.CPU:
                table.add(5 if name == linuxbench.IDLE else 5 + cost, 1024, name, what)
            for what in ("interrupts", "accesses"):
                table.add(cost, 1024, name, what)
        return table

    def verdicts(self, ours):
        return [seen <= most for _, seen, most in linuxbench.targets(self.filled(ours), 1024)]

    def test_idle_is_no_ones_cost(self):
        table = self.filled(15)
        self.assertEqual(linuxbench.above_idle(table, 1024, "pcmaster", "total"), 15)
        self.assertEqual(linuxbench.best(table, 1024, "total"), 20)
        self.assertEqual(linuxbench.best(table, 1024, "accesses"), 20)

    def test_targets(self):
        self.assertEqual(self.verdicts(15), [True, False, True, True, True, False])
        self.assertEqual(self.verdicts(10), [True, False, True, True, True, True])
        self.assertEqual(self.verdicts(25), [False, False, False, False, False, False])
        self.assertEqual(self.verdicts(0), [True] * 6)

    def test_rows_know_their_card(self):
        self.assertEqual(linuxbench.card_of("pcmaster, write-back, mmap"), ("pcmaster", ["-M"]))
        self.assertEqual(linuxbench.card_of("intel-hda"), ("intel-hda", []))
        self.assertNotIn(linuxbench.TRACED, linuxbench.PEERS)


class PlayTest(unittest.TestCase):
    """What a recording must show to be called clean."""

    WORDS = linuxperiods.words()
    SECONDS = float(linuxperiods.SECONDS)

    def verdict(self, heard, seconds=SECONDS, xruns=0, period=1024):
        return linuxperiods.judge(heard, self.WORDS, seconds, xruns, (period, 4), linuxcards.RATE)

    def test_frames_are_distinct_and_audible(self):
        frames = array("I", self.WORDS)
        self.assertEqual(len(set(frames)), linuxperiods.FRAMES)
        self.assertNotIn(0, frames)

    def test_faults(self):
        words, silence = self.WORDS, bytes(4000)
        cut = len(words) // 2
        for heard, more, clean, body, said in (
                (silence + words + silence, {}, True, True, "clean"),
                (words, {"seconds": self.SECONDS + 0.2}, True, True, "clean"),
                (words[:-400] + silence, {}, False, True, "the last 100 frames lost"),
                (words[:-20000], {}, False, False, "the last 5000 frames lost"),
                (words + silence + words[:80], {}, False, True, "20 old frames behind the end"),
                (words[:cut] + words[cut + 4:], {}, False, False, "wrong from frame 240000 on"),
                (words[:cut] + silence + words[cut:], {}, False, False,
                 "wrong from frame 240000 on"),
                (words[4:], {}, False, False, "nothing right"),
                (silence, {}, False, False, "nothing right"),
                (words, {"seconds": self.SECONDS + 1}, False, False, "too slow"),
                (words, {"seconds": self.SECONDS - 0.2}, False, False, "too fast"),
                (words, {"xruns": 2}, False, False, "2 xruns")):
            verdict = self.verdict(heard, **more)
            self.assertEqual((verdict.clean, verdict.body, str(verdict)), (clean, body, said))

    def test_the_smallest_period_has_none_above_that_fails(self):
        good, bad = self.verdict(self.WORDS), self.verdict(b"")
        found = {1024: [good, good], 512: [good, good], 256: [good, bad], 128: [good, good]}
        self.assertEqual(linuxperiods.smallest(found, lambda verdict: verdict.clean), 512)
        self.assertEqual(linuxperiods.first_fault(found), "256: nothing right")
        self.assertIsNone(linuxperiods.smallest({1024: [bad]}, lambda verdict: verdict.body))


if __name__ == "__main__":
    unittest.main()
