# SPDX-License-Identifier: MIT
"""A running QEMU with the benchmarks' guest, and the host's hands in it.

The guest (tests/bench/guest.c) has no drivers. Devices are set up from here
through QEMU's qtest socket, which works beside a running processor as well;
what the guest is to do is left in its mailbox (tests/bench/mailbox.h).
"""

import contextlib
import re
import socket
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pcmaster.ui import Problem

MEMORY_MIB = 512
MAILBOX = 0x10000
SOURCE = struct.Struct("<6I")
SOURCES_AT = 56
GUEST_IDLE, GUEST_RING, GUEST_PLAY = range(3)
IRQ = 11
CONFIG_ADDRESS, CONFIG_DATA = 0xcf8, 0xcfc
PCI_COMMAND, PCI_BAR0, PCI_STATUS_LIST = 0x04, 0x10, 0x34
COMMAND_ALL = 0x7               # ports, memory, bus mastering
PATIENCE = 120.0


class QTest:
    """QEMU's qtest socket: the guest's memory, ports and config space."""

    def __init__(self, connection):
        self.connection = connection
        self.file = connection.makefile("rw", encoding="ascii", newline="\n")

    def ask(self, *words):
        """Sends a command; returns the words after OK."""
        self.file.write(" ".join(hex(word) if isinstance(word, int) else word
                                 for word in words) + "\n")
        self.file.flush()
        for line in self.file:
            answer = line.split()
            if answer and answer[0] == "IRQ":
                continue
            if not answer or answer[0] != "OK":
                raise Problem(f"qtest {words}: {line.strip()}")
            return answer[1:]
        raise Problem("QEMU closed its qtest socket")

    def read(self, width, address):
        """Reads memory; width: b, w, l or q."""
        return int(self.ask(f"read{width}", address)[0], 16)

    def write(self, width, address, value):
        """Writes memory."""
        self.ask(f"write{width}", address, value)

    def port_in(self, width, port):
        """Reads a port; width: b, w or l."""
        return int(self.ask(f"in{width}", port)[0], 16)

    def port_out(self, width, port, value):
        """Writes a port."""
        self.ask(f"out{width}", port, value)

    def write_bytes(self, address, data):
        """Writes bytes to memory."""
        self.ask("write", address, len(data), "0x" + data.hex())

    def config_read(self, slot, offset):
        """Reads a word of a function's config space on bus 0."""
        self.port_out("l", CONFIG_ADDRESS, 1 << 31 | slot << 11 | offset & 0xfc)
        return self.port_in("l", CONFIG_DATA)

    def config_write(self, slot, offset, value):
        """Writes a word of config space."""
        self.port_out("l", CONFIG_ADDRESS, 1 << 31 | slot << 11 | offset & 0xfc)
        self.port_out("l", CONFIG_DATA, value)


@dataclass(frozen=True)
class Source:
    """One thing that interrupts, as the guest's mailbox describes it."""

    kind: int
    base: int
    ring: int = 0
    used: int = 0
    doorbell: int = 0
    depth: int = 0

    def packed(self):
        """The bytes of it in the mailbox."""
        return SOURCE.pack(self.kind, self.base, self.ring, self.used,
                           self.doorbell, self.depth)


class Machine:
    """A QEMU under TCG that runs the guest, and its threads' figures."""

    def __init__(self, child, qtest):
        self.child, self.qtest = child, qtest
        self.ticks_per_ns = None

    def calibrate(self, seconds=0.4):
        """Learns how fast the guest's clock goes."""
        begin, first = time.monotonic_ns(), self.qtest.read("q", MAILBOX + 24)
        time.sleep(seconds)
        end, last = time.monotonic_ns(), self.qtest.read("q", MAILBOX + 24)
        if last <= first:
            raise Problem("the benchmarks' guest does not run")
        self.ticks_per_ns = (last - first) / (end - begin)

    def ring(self, address, value, count, status=0):
        """Lets the guest write a register; returns ns for each time.

        status: a register of which bit 0 is to become 0 before the next one.
        """
        self.qtest.write_bytes(MAILBOX + 4, struct.pack("<4I", count, address,
                                                        value, status))
        self.qtest.write("l", MAILBOX, GUEST_RING)
        limit = time.monotonic() + PATIENCE
        while self.qtest.read("l", MAILBOX) != GUEST_IDLE:
            if time.monotonic() > limit:
                raise Problem(f"no end of {count} writes to {address:#x}")
            time.sleep(0.01)
        ticks = self.qtest.read("q", MAILBOX + 40) - self.qtest.read("q", MAILBOX + 32)
        return ticks / self.ticks_per_ns / count

    def play(self, sources):
        """Lets the guest acknowledge the interrupts of these sources."""
        data = struct.pack("<2I", IRQ, len(sources))
        self.qtest.write_bytes(MAILBOX + 48, data + b"".join(
            source.packed() for source in sources))
        self.qtest.write("l", MAILBOX, GUEST_PLAY)

    def interrupts(self):
        """How many interrupts the guest has acknowledged."""
        return self.qtest.read("l", MAILBOX + 20)

    def usage(self):
        """What its threads have used so far."""
        return usage(self.child.pid)

    def resident(self):
        """Bytes of memory that the whole process holds."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) << 10


class Usage(NamedTuple):
    """What a QEMU's threads have used so far."""

    spent: int      # ns of processor, of all threads but the vCPUs'
    wakes: int      # their wake-ups
    vcpus: int      # ns of processor of the vCPUs' threads


def usage(pid):
    """The Usage of a QEMU that was started with debug-threads=on."""
    spent = wakes = vcpus = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        taken = int((task / "schedstat").read_text().split()[0])
        if (task / "comm").read_text().startswith("CPU "):
            vcpus += taken
            continue
        spent += taken
        wakes += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)",
                               (task / "status").read_text(), re.M)[1])
    return Usage(spent, wakes, vcpus)


@contextlib.contextmanager
def machine(program, guest, *words):
    """Starts QEMU with the guest and these words more; ends it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "qtest")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(1)
            listener.settimeout(PATIENCE)
            child = subprocess.Popen(
                [str(word) for word in [
                    program, "-M", "pc,hpet=off", "-accel", "tcg", "-m",
                    f"{MEMORY_MIB}M", "-nodefaults", "-no-user-config",
                    "-display", "none", "-name", "bench,debug-threads=on",
                    "-kernel", guest, "-qtest", f"unix:{path}",
                    "-qtest-log", "none", *words]],
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                yield connect(child, listener)
            finally:
                child.kill()
                child.wait()
                child.stderr.close()


def connect(child, listener):
    """Waits until QEMU has called and its guest's clock runs."""
    listener.settimeout(0.1)
    while True:
        try:
            connection = listener.accept()[0]
            break
        except socket.timeout:
            if child.poll() is not None:
                raise Problem(f"QEMU did not start: {child.stderr.read()}") from None
    connection.settimeout(PATIENCE)
    found = Machine(child, QTest(connection))
    limit = time.monotonic() + PATIENCE
    try:
        while not found.qtest.read("q", MAILBOX + 24):
            if time.monotonic() > limit:
                raise Problem("the benchmarks' guest did not start")
            time.sleep(0.02)
    except ConnectionError:
        raise Problem(f"QEMU ended: {child.communicate()[1]}") from None
    found.calibrate()
    return found
