# SPDX-License-Identifier: MIT
"""pcmaster and its peers, set up to play 48 kHz S16 stereo for ever.

Each function programs one device by its data sheet, as little as it takes, and
returns what the guest needs to acknowledge its interrupts. All devices are on
bus 0 of the machine «pc» and interrupt by INTx.
"""

import struct
import time
from dataclasses import dataclass

from pcmaster import benchguest
from pcmaster.benchguest import Source
from pcmaster.regmap import value
from pcmaster.ui import Problem

PATIENCE = 10.0                 # seconds for an answer
RATE, FRAME_BYTES = 48000, 4
PCMASTER, HDA, AC97, ES1370, VIRTIO = range(5)
HDA_DAC = 2                     # the node of hda-duplex that plays
FIRST_SLOT = 4
PIIX_SLOT, PIIX_ROUTES, ELCR = 1, 0x60, 0x4d0
REGISTERS = 0xe0000000
REGISTERS_APART = 1 << 20
PORTS = 0xc000
PORTS_APART = 1 << 11
MEMORY = 16 << 20               # of the guest: buffers, lists, queues
MEMORY_APART = 1 << 20


@dataclass(frozen=True)
class Place:
    """Where one function is, and the guest's memory for it."""

    slot: int
    registers: int
    ports: int
    buffer: int
    lists: int
    period: int     # frames
    periods: int    # in the buffer

    @property
    def period_bytes(self):
        """Bytes of a period."""
        return self.period * FRAME_BYTES

    @property
    def bytes(self):
        """Bytes of the whole buffer."""
        return self.period_bytes * self.periods


def place(index, period, periods):
    """The place of the function number index."""
    memory = MEMORY + index * MEMORY_APART
    return Place(FIRST_SLOT + index, REGISTERS + index * REGISTERS_APART,
                 PORTS + index * PORTS_APART, memory + MEMORY_APART // 2, memory,
                 period, periods)


def route_interrupts(qtest):
    """Sends all four lines of the bus to one level-triggered interrupt."""
    irq = benchguest.IRQ
    qtest.config_write(PIIX_SLOT, PIIX_ROUTES, irq * 0x01010101)
    levels = qtest.port_in("w", ELCR)
    qtest.port_out("w", ELCR, levels | 1 << irq)


def give_memory(qtest, at, bar=0):
    """Maps one BAR of registers and lets the function master the bus."""
    qtest.config_write(at.slot, benchguest.PCI_BAR0 + 4 * bar, at.registers)
    qtest.config_write(at.slot, benchguest.PCI_COMMAND, benchguest.COMMAND_ALL)


def give_ports(qtest, at, *offsets):
    """Maps the first BARs, which are ports."""
    for bar, offset in enumerate(offsets):
        qtest.config_write(at.slot, benchguest.PCI_BAR0 + 4 * bar, at.ports + offset)
    qtest.config_write(at.slot, benchguest.PCI_COMMAND, benchguest.COMMAND_ALL)


def play_pcmaster(qtest, at, streams=1, slack=0):
    """All streams of one pcmaster; they share the buffer.

    slack: ns that its interrupts may be late
    """
    give_memory(qtest, at)
    qtest.write("l", at.registers + value("INT_ENABLE"), ((1 << streams) - 1) << 16)
    for number in range(streams):
        base = at.registers + value("STREAM", number)
        for register, content in (
                ("S_INT_ENABLE", value("S_PERIOD")),
                ("S_FORMAT", value("S_S16") | value("S_CHANNELS", 2)),
                ("S_RATE", RATE), ("S_BUFFER", at.buffer), ("S_LENGTH", at.bytes),
                ("S_PERIOD_FRAMES", at.period), ("S_SLACK", slack),
                ("S_CTL", value("S_RUN"))):
            qtest.write("l", base + value(register), content)
    return Source(PCMASTER, at.registers)


def play_hda(qtest, at):
    """intel-hda's first output stream into the DAC of hda-duplex."""
    give_memory(qtest, at)
    base, stream = at.registers, at.registers + 0x80 + 4 * 0x20
    qtest.write("l", base + 0x08, 1)
    for verb in (0x20011,       # 48 kHz, 16 bits, stereo
                 0x70610,       # stream 1, channel 0
                 0x3b04a):      # both sides, not muted
        qtest.write("l", base + 0x60, HDA_DAC << 20 | verb)
        qtest.write("w", base + 0x68, 1)
    qtest.write_bytes(at.lists, b"".join(
        struct.pack("<QII", at.buffer + number * at.period_bytes, at.period_bytes, 1)
        for number in range(at.periods)))
    qtest.write("l", stream + 0x08, at.bytes)
    qtest.write("w", stream + 0x0c, at.periods - 1)
    qtest.write("w", stream + 0x12, 0x0011)
    qtest.write("l", stream + 0x18, at.lists)
    qtest.write("l", stream + 0x1c, 0)
    qtest.write("l", base + 0x20, 1 << 31 | 1 << 30 | 1 << 4)
    qtest.write("l", stream, 1 << 20 | 1 << 2 | 1 << 1)
    return Source(HDA, base)


def play_ac97(qtest, at):
    """AC97's PCM output."""
    mixer, master = 0, 0x400
    give_ports(qtest, at, mixer, master)
    qtest.port_out("l", at.ports + master + 0x2c, 2)
    for register, content in ((0x00, 0), (0x02, 0), (0x18, 0x0808), (0x2a, 1),
                              (0x2c, RATE)):
        qtest.port_out("w", at.ports + mixer + register, content)
    qtest.write_bytes(at.lists, b"".join(
        struct.pack("<II", at.buffer + number % at.periods * at.period_bytes,
                    1 << 31 | at.period_bytes // 2) for number in range(32)))
    output = at.ports + master + 0x10
    qtest.port_out("l", output, at.lists)
    qtest.port_out("b", output + 5, 31)
    qtest.port_out("b", output + 0xb, 0x11)
    return Source(AC97, at.ports + master)


def play_es1370(qtest, at):
    """ES1370's second DAC; at 48 kHz it runs 1.4 % too fast, as always."""
    give_ports(qtest, at, 0)
    divisor = 1411200 // RATE - 2
    qtest.port_out("l", at.ports + 0x0c, 0xc)
    qtest.port_out("l", at.ports + 0x38, at.buffer)
    qtest.port_out("l", at.ports + 0x3c, at.period * at.periods - 1)
    qtest.port_out("l", at.ports + 0x28, at.period - 1)
    qtest.port_out("l", at.ports + 0x20, 1 << 9 | 3 << 2)
    qtest.port_out("l", at.ports + 0x00, divisor << 16 | 1 << 5)
    return Source(ES1370, at.ports)


class Virtio:
    """A modern virtio function: its structures, found by its capabilities."""

    COMMON, NOTIFY, ISR = 1, 2, 3

    def __init__(self, qtest, at, bar=4):
        self.qtest, self.at = qtest, at
        give_memory(qtest, at, bar)
        self.places, self.multiplier = {}, 0
        offset = qtest.config_read(at.slot, benchguest.PCI_STATUS_LIST) & 0xfc
        while offset:
            head = qtest.config_read(at.slot, offset)
            if head & 0xff == 9 and qtest.config_read(at.slot, offset + 4) & 0xff == bar:
                kind = head >> 24
                self.places.setdefault(
                    kind, at.registers + qtest.config_read(at.slot, offset + 8))
                if kind == self.NOTIFY:
                    self.multiplier = qtest.config_read(at.slot, offset + 16)
            offset = head >> 8 & 0xfc

    def common(self, width, offset, value):
        """Writes to the common configuration."""
        self.qtest.write(width, self.places[self.COMMON] + offset, value)

    def negotiate(self):
        """Resets the function and accepts VERSION_1 and nothing else."""
        for status in (0, 1, 3):
            self.common("b", 0x14, status)
        self.common("l", 0x08, 1)
        self.common("l", 0x0c, 1)
        self.common("l", 0x08, 0)
        self.common("l", 0x0c, 0)
        self.common("b", 0x14, 0xb)

    def add_queue(self, number, size, memory):
        """Sets up a queue; returns (descriptors, available, used)."""
        rings = memory, memory + 0x1000, memory + 0x2000
        self.common("w", 0x16, number)
        self.common("w", 0x18, size)
        for offset, ring in zip((0x20, 0x28, 0x30), rings):
            self.common("l", offset, ring)
            self.common("l", offset + 4, 0)
        self.common("w", 0x1c, 1)
        return rings

    def doorbell(self, number):
        """Where to say that a queue has something."""
        self.common("w", 0x16, number)
        own = self.qtest.read("w", self.places[self.COMMON] + 0x1e)
        return self.places[self.NOTIFY] + own * self.multiplier


def play_virtio(qtest, at):
    """virtio-sound's first output stream."""
    function = Virtio(qtest, at)
    function.negotiate()
    control = function.add_queue(0, 8, at.lists)
    output = function.add_queue(2, 64, at.lists + 0x4000)
    function.common("b", 0x14, 0xf)
    requests = (struct.pack("<6I", 0x101, 0, at.bytes, at.period_bytes, 0,
                            2 | 5 << 8 | 7 << 16),
                struct.pack("<2I", 0x102, 0), struct.pack("<2I", 0x104, 0))
    for number, request in enumerate(requests[:2]):
        ask_virtio(qtest, function, control, at.lists + 0x3000, number, request)
    available = fill_virtio(qtest, at, output)
    ask_virtio(qtest, function, control, at.lists + 0x3000, 2, requests[2])
    doorbell = function.doorbell(2)
    qtest.write("w", doorbell, 2)
    return Source(VIRTIO, function.places[Virtio.ISR], ring=available,
                  used=output[2], doorbell=doorbell, depth=at.periods)


def ask_virtio(qtest, function, rings, memory, number, request):
    """Sends one control request and looks at the answer."""
    descriptors, available, used = rings
    answer = memory + 0x100
    qtest.write_bytes(memory, request)
    qtest.write("l", answer, 0)
    qtest.write_bytes(descriptors, struct.pack("<QIHHQIHH", memory, len(request),
                                               1, 1, answer, 4, 2, 0))
    qtest.write("w", available + 4 + number % 8 * 2, 0)
    qtest.write("w", available + 2, number + 1)
    qtest.write("w", function.doorbell(0), 0)
    limit = time.monotonic() + PATIENCE
    while qtest.read("w", used + 2) != number + 1:
        if time.monotonic() > limit:
            raise Problem(f"virtio-sound does not answer control request {number}")
    if qtest.read("l", answer) != 0x8000:
        raise Problem(f"virtio-sound refused control request {number}")


def fill_virtio(qtest, at, rings):
    """A chain for each period, and a ring that names them over and over."""
    descriptors, available, _ = rings
    header, status = at.lists + 0x7000, at.lists + 0x7100
    qtest.write("l", header, 0)
    table = b"".join(
        struct.pack("<QIHHQIHHQIHH", header, 4, 1, 3 * n + 1,
                    at.buffer + n * at.period_bytes, at.period_bytes, 1, 3 * n + 2,
                    status + 8 * n, 8, 2, 0) for n in range(at.periods))
    qtest.write_bytes(descriptors, table)
    qtest.write_bytes(available + 4, b"".join(
        struct.pack("<H", 3 * (n % at.periods)) for n in range(64)))
    qtest.write("w", available + 2, at.periods)
    return available


@dataclass(frozen=True)
class Peer:
    """A device: QEMU's words for one of it, and the function that plays on it."""

    words: str
    play: object


# Ours, and the ns that its interrupts may be late; theirs come with the
# back end's ticks, every 10 ms.
OURS = {"pcmaster": 0, "pcmaster, slack": 10_000_000}
PEERS = {
    "intel-hda": Peer("intel-hda,addr={slot},id=hda{n},msi=off -device "
                      "hda-duplex,bus=hda{n}.0,audiodev=snd", play_hda),
    "AC97": Peer("AC97,addr={slot},audiodev=snd", play_ac97),
    "ES1370": Peer("ES1370,addr={slot},audiodev=snd", play_es1370),
    "virtio-sound-pci": Peer("virtio-sound-pci,addr={slot},disable-legacy=on,"
                             "audiodev=snd", play_virtio),
}


def words(name, count, audiodev):
    """QEMU's words for so many of a device, or one pcmaster with such streams.

    audiodev: the back end that all share, whose id is snd
    """
    found = ["-audiodev", audiodev]
    if name in OURS:
        return [*found, "-device",
                f"pcmaster,addr={FIRST_SLOT},audiodev=snd,playback={count}"]
    for number in range(count):
        device = PEERS[name].words.format(slot=FIRST_SLOT + number, n=number)
        found += ["-device", *device.split()]
    return found


def start(machine, name, count, period, periods):
    """Starts so many streams and lets the guest acknowledge."""
    route_interrupts(machine.qtest)
    if name in OURS:
        sources = [play_pcmaster(machine.qtest, place(0, period, periods), count,
                                 OURS[name])]
    else:
        sources = [PEERS[name].play(machine.qtest, place(number, period, periods))
                   for number in range(count)]
    machine.play(sources)
