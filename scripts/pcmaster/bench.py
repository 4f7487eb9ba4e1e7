# SPDX-License-Identifier: MIT
"""Measures the device beside its peers, in one run, and prints ratios.

exerciser  commands against memcpy and memcmp, and the cost of a small one.
           The guest writes the doorbell and reads its own clock before and
           after, so the qtest socket is no part of it.
rules      4 KiB commands with every rule set against none.
playback   processor time of QEMU outside the vCPU, for each second of sound.
           The guest only acknowledges interrupts, the same way for every device.
memory     what one device more, and one stream that plays more, occupy.
frames     an allocate/free pair of the executive's page-frame allocator beside
           a linear first-fit, from 16 to 65,536 free runs.
linux      the same aplay on every card in one boot of Linux: processor time,
           interrupts and register accesses for each second of sound.
periods    the smallest period at which each card plays cleanly there.

What is compared takes turns; figures are medians of all rounds.
"""

import argparse
import json
import re
import tempfile
import time
from pathlib import Path

from pcmaster import (benchguest, linuxbench, linuxperiods, peers, prepare, process,
                      qemu)
from pcmaster.figures import Table, figure, show, size
from pcmaster.regmap import value
from pcmaster.ui import EXIT_HELD, Problem, command

GUEST, MEMORY_PEER = "tests/bench/bench-guest.elf", "tests/bench/memory-peer"
FRAMES = "tests/bench/frames-bench"
RUNS = (16, 256, 4096, 65536)
SIZES = [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20]
SLICE = 1 << 20                 # what the doorbell's write moves before it returns
SMALL, RULED = 64, 4 << 10
BUFFER = 64 << 20
CALL_NS, BYTE_NS = 1500, 0.2    # a guess, to choose how often
ROUND_NS = 60e6
COMMANDS = {name: value(f"EX_{name.upper()}")
            for name in ("fill", "verify", "read", "checksum")}
PEER_OF = {"fill": "memcpy", "verify": "memcmp", "checksum": "memcpy", "read": "memcpy"}
PERIODS = ((1024, 4), (6000, 4))    # frames, and how many in the buffer
BACKENDS = {"wav": "wav,id=snd,path={folder}/out.wav,out.frequency=48000",
            "none": "none,id=snd,out.frequency=48000"}
STREAMS = (1, 2, 4, 8)
SETTLE = 0.5


class Exerciser:
    """The device's exerciser, as the guest rings its doorbell."""

    def __init__(self, machine):
        self.machine, self.qtest = machine, machine.qtest
        self.base = peers.place(0, 0, 0).registers
        peers.give_memory(self.qtest, peers.place(0, 0, 0))

    def write(self, name, content, argument=0):
        """Writes a register of 32 bits."""
        self.qtest.write("l", self.base + value(name, argument), content)

    def write64(self, name, content):
        """Writes a register of 64 bits."""
        self.qtest.write("q", self.base + value(name), content)

    def prepare(self, length):
        """Sets address and length of the next commands."""
        self.write64("EX_ADDR", BUFFER)
        self.write("EX_LENGTH", length)

    def run(self, name, length, count=None):
        """ns for one command of that length, the doorbell's write included."""
        self.prepare(length)
        status = self.base + value("EX_STATUS")
        taken = self.machine.ring(self.base + value("EX_COMMAND"), COMMANDS[name],
                                  count or calls(length), status if length > SLICE else 0)
        if self.qtest.read("l", status):
            raise Problem(f"{name} of {length} bytes failed")
        return taken

    def touch(self):
        """ns for the write of a register that does nothing."""
        return self.machine.ring(self.base + value("EX_SEED"), 0, calls(SMALL))

    def set_rules(self, on):
        """All rules, none of which the benchmark breaks; or none again."""
        self.write("CTRL", value("CTRL_RESET"))
        if not on:
            return
        self.write("ADDR_BITS", 40)
        self.write64("LIMIT", (1 << 36) - 1)
        self.write64("BOUNDARY", (1 << 20) - 1)
        self.write("NODE", 0)
        self.write("ALIGN", RULED)
        self.write("GRAIN", SMALL)
        self.write("BURST", 1 << 20)
        for number in range(value("WINDOW_COUNT")):
            window = self.base + value("WINDOW", number)
            first = BUFFER + (value("WINDOW_COUNT") - 1 - number) * RULED
            self.qtest.write("q", window + value("W_FIRST"), first)
            self.qtest.write("q", window + value("W_LAST"), first + RULED - 1)
            self.qtest.write("l", window + value("W_CTRL"), value("W_ENABLE")
                             | value("W_READ") | value("W_WRITE"))


def calls(length):
    """How many calls with so many bytes a round takes."""
    return max(2, int(ROUND_NS / (CALL_NS + length * BYTE_NS)))


def exerciser(options, table):
    """Commands of all sizes beside the host's memcpy and memcmp."""
    with machine(options, "-device", "pcmaster,addr=4,playback=0") as running:
        device = Exerciser(running)
        names = list(COMMANDS)
        for _ in range(options.rounds):
            table.add(device.touch(), "register", SMALL)
            for length in [SMALL, *SIZES]:
                for name in names:
                    table.add(device.run(name, length), name, length)
            for words in memory_peer(options, [SMALL, *SIZES]):
                table.add(words[1], "memcpy", int(words[0]))
                table.add(words[2], "memcmp", int(words[0]))
    rows = [[size(length)] + [text for name in names for text in (
        figure(table.median(name, length)),
        figure(table.ratio((PEER_OF[name], length), (name, length)), 2))]
        for length in [SMALL, *SIZES]]
    show("ns for a command, and its speed by that of its peer on the host "
         "(memcmp for verify, else memcpy)",
         ["bytes", *(text for name in names for text in (name, "ratio"))], rows)
    print(f"a register's write alone: {table.median('register', SMALL):.0f} ns; "
          f"a {SMALL}-byte fill beyond it: "
          f"{table.median('fill', SMALL) - table.median('register', SMALL):.0f} ns\n")


def memory_peer(options, sizes):
    """One round of memcpy and memcmp: lists of bytes, ns and ns."""
    text = process.output([options.build / MEMORY_PEER, *sizes])
    if text is None:
        raise Problem(f"{options.build / MEMORY_PEER} failed")
    return [[float(word) for word in line.split()] for line in text.splitlines()]


def rules(options, table):
    """What the rules cost, at 4 KiB."""
    with machine(options, "-device", "pcmaster,addr=4,playback=0") as running:
        device = Exerciser(running)
        for _ in range(options.rounds * 3):
            for on in (False, True):
                device.set_rules(on)
                for name in ("fill", "verify"):
                    table.add(device.run(name, RULED), "rules", name, on)
    show("4 KiB commands without rules and with all of them, ns",
         ["command", "none", "all", "cost %"],
         [[name, figure(table.median("rules", name, False)),
           figure(table.median("rules", name, True)),
           figure(100 * table.ratio(("rules", name, True),
                                    ("rules", name, False)) - 100, 1)]
          for name in ("fill", "verify")])


def playback(options, table):
    """Every device with one stream, then pcmaster with several."""
    runs = [(name, 1) for name in [*peers.PEERS, *peers.OURS]]
    runs += [("pcmaster", count) for count in STREAMS[1:]]
    for backend in BACKENDS:
        for _ in range(options.rounds):
            for name, count in runs:
                for setup in PERIODS:
                    sample(options, table, backend, name, count, setup)
        for setup in PERIODS:
            show_playback(table, backend, setup, runs)


def sample(options, table, backend, name, count, setup):
    """One window of playback, in a QEMU of its own."""
    with tempfile.TemporaryDirectory() as folder:
        words = peers.words(name, count, BACKENDS[backend].format(folder=folder))
        with machine(options, *words) as running:
            peers.start(running, name, count, *setup)
            time.sleep(SETTLE)
            begin, first = time.monotonic(), (*running.usage(), running.interrupts())
            time.sleep(options.seconds)
            last, end = (*running.usage(), running.interrupts()), time.monotonic()
    key = (backend, setup[0], name, count)
    spent, wakes, _, interrupts = ((b - a) / (end - begin) for a, b in zip(first, last))
    if not interrupts:
        raise Problem(f"{name} did not play")
    table.add(spent / 1e6, *key, "ms")
    table.add(wakes, *key, "wakes")
    table.add(interrupts, *key, "interrupts")


def show_playback(table, backend, setup, runs):
    """The table of one back end and one period."""
    best = min(table.median(backend, setup[0], name, 1, "ms") for name in peers.PEERS)
    rows = []
    for name, count in runs:
        key = (backend, setup[0], name, count)
        cost = table.median(*key, "ms")
        one = table.median(backend, setup[0], name, 1, "ms")
        rows.append([name, str(count), figure(cost, 2), figure(cost / best, 2),
                     figure(cost / one, 2),
                     figure(table.median(*key, "wakes")),
                     figure(table.median(*key, "interrupts"), 1)])
    show(f"playback on {backend}, period {setup[0]}: ms of processor a second, "
         "outside the vCPU",
         ["device", "streams", "ms/s", "of best peer", "of one stream", "wake-ups/s",
          "interrupts/s"], rows)


def memory(options, table):
    """Resident memory of devices and of streams that play."""
    for _ in range(options.rounds):
        for count in (1, 9):
            words = [word for slot in range(count) for word in
                     ("-device", f"pcmaster,addr={4 + slot},playback=0")]
            with machine(options, *words) as running:
                table.add(running.resident(), "devices", count)
        for count in (1, 8):
            with machine(options, *peers.words("pcmaster", count, "none,id=snd")) as running:
                peers.start(running, "pcmaster", count, *PERIODS[0])
                time.sleep(SETTLE)
                table.add(running.resident(), "streams", count)
    show("resident memory, KiB", ["of", "KiB"], [
        [f"one {what} more", figure((table.median(f"{what}s", most)
                                     - table.median(f"{what}s", 1)) / (most - 1) / 1024)]
        for what, most in (("device", 9), ("stream", 8))])


def frames(options, table):
    """The allocator's pairs; every round of the program keeps its best."""
    names = []
    for _ in range(options.rounds):
        for runs in RUNS:
            text = process.output([options.build / FRAMES, runs])
            if text is None:
                raise Problem(f"{options.build / FRAMES} failed")
            for line in text.splitlines():
                _, ours, linear, name = line.split(None, 3)
                names += [name] if name not in names else []
                table.add(float(ours), "frames", name, runs)
                table.add(float(linear), "linear", name, runs)
    show("ns for an allocate/free pair with so many free runs, and how many times "
         "as long a linear first-fit takes",
         ["request", *(text for runs in RUNS for text in (f"{runs}", "ratio"))],
         [[name, *(text for runs in RUNS for text in (
             figure(table.median("frames", name, runs)),
             figure(table.ratio(("linear", name, runs), ("frames", name, runs)), 1)))]
          for name in names])


def machine(options, *words):
    """A machine of the benchmark."""
    return benchguest.machine(options.qemu, options.build / GUEST, *words)


PARTS = {"exerciser": exerciser, "rules": rules, "playback": playback, "memory": memory,
         "frames": frames, "linux": linuxbench.linux,
         "periods": linuxperiods.periods}


def parse(argv=None):
    """The options of scripts/bench."""
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", metavar="PART",
                        help=f"{', '.join(PARTS)}; all if none is given")
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    parser.add_argument("--seconds", type=float, default=3.0,
                        help="of playback in each round; default %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="write all samples there")
    parser.add_argument("--qemu", type=Path, metavar="PROGRAM",
                        help="measure this QEMU with the device")
    options = parser.parse_args(argv)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds must be above 0")
    for part in options.part:
        if not re.fullmatch("|".join(PARTS), part):
            parser.error(f"no part {part}: there are {', '.join(PARTS)}")
    return options


def main(argv=None):
    """The command line of scripts/bench; returns the exit status."""
    options = parse(argv)
    _, programs, built = prepare.everything()
    options.build = built.folder
    options.qemu = options.qemu or programs / qemu.SYSTEM
    results = {}
    for name in options.part or PARTS:
        table = Table()
        PARTS[name](options, table)
        results[name] = table.as_json()
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))
    return EXIT_HELD


if __name__ == "__main__":
    command(main)
