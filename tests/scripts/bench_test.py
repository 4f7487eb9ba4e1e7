# SPDX-License-Identifier: MIT
"""The benchmarks: what they say to QEMU, and what they make of the figures."""

import contextlib
import io
import socket
import struct
import threading
import unittest

from pcmaster import CHECKOUT, bench, benchguest, peers
from pcmaster.ui import Problem


class FakeQemu:
    """The other end of a qtest socket, with answers to choose."""

    def __init__(self, case, answers):
        ours, theirs = socket.socketpair()
        case.addCleanup(ours.close)
        self.heard = []
        self.thread = threading.Thread(target=self.serve, args=(theirs, answers))
        self.thread.start()
        case.addCleanup(self.thread.join)
        self.qtest = benchguest.QTest(ours)
        case.addCleanup(self.qtest.file.close)

    def serve(self, connection, answers):
        with connection, connection.makefile("rw") as file:
            for answer in answers:
                self.heard.append(file.readline().strip())
                file.write(answer)
                file.flush()


class QTestTest(unittest.TestCase):

    def test_words_are_sent_and_read(self):
        fake = FakeQemu(self, ["OK 0x1234\n", "OK\n", "OK\n"])
        self.assertEqual(fake.qtest.read("q", 0x1000), 0x1234)
        fake.qtest.write("l", 16, 255)
        fake.qtest.write_bytes(32, b"\x01\xff")
        self.assertEqual(fake.heard, ["readq 0x1000", "writel 0x10 0xff",
                                      "write 0x20 0x2 0x01ff"])

    def test_a_config_space_has_two_ports(self):
        fake = FakeQemu(self, ["OK\n", "OK 0x10fa1af4\n"])
        self.assertEqual(fake.qtest.config_read(4, 0x2), 0x10fa1af4)
        self.assertEqual(fake.heard, ["outl 0xcf8 0x80002000", "inl 0xcfc"])

    def test_interrupt_reports_are_no_answers(self):
        self.assertEqual(FakeQemu(self, ["IRQ raise 3\nOK 0x7\n"]).qtest.read("b", 0), 7)

    def test_a_refusal_is_told(self):
        with self.assertRaisesRegex(Problem, "FAIL"):
            FakeQemu(self, ["FAIL Unknown command\n"]).qtest.read("b", 0)

    def test_an_end_is_told(self):
        with self.assertRaisesRegex(Problem, "closed"):
            FakeQemu(self, [""]).qtest.read("b", 0)


class LayoutTest(unittest.TestCase):
    """The mailbox is written down twice: in C and in Python."""

    def test_the_kinds_of_sources_agree(self):
        text = (CHECKOUT / "tests/bench/mailbox.h").read_text()
        names = [line.strip(" ,") for line in text.splitlines()
                 if line.strip().startswith("SOURCE_")]
        self.assertEqual([getattr(peers, name.removeprefix("SOURCE_")) for name in names],
                         list(range(5)))

    def test_a_source_has_six_words(self):
        source = benchguest.Source(4, 1, ring=2, used=3, doorbell=5, depth=6)
        self.assertEqual(source.packed(), struct.pack("<6I", 4, 1, 2, 3, 5, 6))

    def test_places_do_not_overlap(self):
        found = [peers.place(n, 6000, 4) for n in range(8)]
        for one, other in zip(found, found[1:]):
            self.assertLessEqual(one.buffer + one.bytes, other.lists)
            self.assertGreater(other.registers, one.registers)
            self.assertGreater(other.ports, one.ports)

    def test_peers_share_one_back_end(self):
        words = " ".join(peers.words("AC97", 3, "none,id=snd"))
        self.assertEqual(words.count("-audiodev"), 1)
        self.assertEqual(words.count("audiodev=snd"), 3)
        self.assertIn("playback=8", peers.words("pcmaster", 8, "none,id=snd")[-1])


class FiguresTest(unittest.TestCase):

    def test_medians_and_ratios(self):
        table = bench.Table()
        for value in (1, 100, 3):
            table.add(value, "ours", 4)
        table.add(6, "theirs", 4)
        self.assertEqual(table.median("ours", 4), 3)
        self.assertEqual(table.ratio(("ours", 4), ("theirs", 4)), 0.5)
        self.assertIsNone(table.median("nobody"))
        self.assertIsNone(table.ratio(("ours", 4), ("nobody",)))
        self.assertEqual(table.as_json()[0],
                         {"name": ["ours", 4], "median": 3, "samples": [1, 100, 3]})

    def test_long_commands_are_called_less_often(self):
        self.assertGreater(bench.calls(64), bench.calls(1 << 20))
        self.assertEqual(bench.calls(1 << 32), 2)

    def test_numbers_are_readable(self):
        self.assertEqual([bench.size(n) for n in (64, 4096, 1 << 20)],
                         ["64", "4 KiB", "1 MiB"])
        self.assertEqual([bench.figure(None), bench.figure(1.26, 1)], ["-", "1.3"])

    def test_options(self):
        self.assertEqual(bench.parse(["rules", "--rounds", "2"]).part, ["rules"])
        for wrong in (["nothing"], ["--rounds", "0"], ["--seconds", "0"]):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                bench.parse(wrong)


if __name__ == "__main__":
    unittest.main()
