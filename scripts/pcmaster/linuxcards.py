# SPDX-License-Identifier: MIT
"""A Linux guest with pcmaster and its peers, which plays what the host asks for.

All cards are there in one boot, each with an audio back end of its own that
records. The guest's shell does what it reads from its console.
"""

import contextlib
import queue
import re
import shlex
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from pcmaster import linuxrun, machine
from pcmaster.qmp import Qmp
from pcmaster.shape import Shape
from pcmaster.ui import Problem

SERIES = "6.12"             # Debian's 6.1 has no driver of virtio-sound
SHAPE = Shape(nodes=1, cpus=1, memory=512)
MODULES = ("snd-hda-codec-generic", "snd-hda-intel", "snd-intel8x0", "snd-ens1370",
           "virtio-snd")
RATE, FRAME_BYTES = 48000, 4
ES1370_RATE = 1411200 // 29         # the nearest that it has
PATIENCE = 120.0
ANSWER = "@@"
ACCESSES = "memory_region_ops_*"
ACCESS = re.compile(r"memory_region_ops_(?:read|write) cpu (-?\d+) mr \S+ addr (0x[0-9a-f]+)")
IRQ = re.compile(r"^\s*(\d+):((?:\s+\d+)+)\s", re.M)
PARAMETER = "/sys/module/snd_pcmaster/parameters/writeback"

# What the shell is told of before it is asked for anything.
JOB = f"""\
busybox stty -echo
for list in {" ".join(f"/modules/order-{name}" for name in MODULES)}; do
    for module in $(cat $list); do insmod /modules/$module 2>/dev/null; done
done
card() {{
    for path in /sys/bus/pci/devices/$1/sound/card* /sys/bus/pci/devices/$1/virtio*/sound/card*; do
        [ -e $path ] && echo ${{path##*/card}}
    done
}}
loud() {{
    for control in Master PCM; do
        amixer -q -D hw:$1 sset $control 100% unmute >/dev/null 2>&1
    done
}}
sound() {{
    card=$1; shift
    aplay -q -D hw:$card,0 -t raw -f S16_LE -c 2 "$@"
}}
start() {{
    : > /complaints
    sound "$@" /dev/zero 2>/complaints & player=$!
    until grep -qs RUNNING /proc/asound/card$1/pcm0p/sub0/status; do usleep 1000; done
}}
stop() {{
    kill -INT $(cat /proc/$player/task/$player/children) $player 2>/dev/null
    wait $player 2>/dev/null
    grep -c underrun /complaints
}}
timed() {{
    read -r began rest < /proc/uptime
    "$@"; status=$?
    read -r ended rest < /proc/uptime
    echo $status $began $ended
}}
echo '{ANSWER} 0'
while read -r line; do eval "$line"; echo "{ANSWER} $?"; done
poweroff -f
"""


@dataclass(frozen=True)
class Card:
    """A sound card: QEMU's words for it and where the guest finds it."""

    slot: int
    words: tuple
    rate: int = RATE        # that it really plays 48 kHz with

    @property
    def address(self):
        """Its place on the bus, as Linux has it."""
        return f"0000:00:{self.slot:02x}.0"

    def place(self, sound):
        """QEMU's words, with the back end's id."""
        return [word.format(slot=f"bus=pcie.0,addr={self.slot:#x}", snd=f"audiodev={sound}")
                for word in self.words]


# AC97's and ES1370's lines are two, so that neither driver hears the other card.
CARDS = {
    "intel-hda": Card(4, ("intel-hda,id=hda,{slot}", "hda-duplex,bus=hda.0,{snd}")),
    "AC97": Card(5, ("AC97,{slot},{snd}",)),
    "ES1370": Card(6, ("ES1370,{slot},{snd}",), ES1370_RATE),
    "virtio-sound-pci": Card(7, ("virtio-sound-pci,{slot},{snd}",)),
    "pcmaster": Card(8, ("pcmaster,{slot},{snd}",)),
    # The same card once more: its doorbell passes QEMU's trace only so.
    "virtio-sound-pci, traced": Card(9, ("virtio-sound-pci,ioeventfd=off,{slot},{snd}",)),
}


def recording(folder, name):
    """The file that a card's back end writes."""
    return Path(folder, f"card{CARDS[name].slot}.wav")


def devices(folder):
    """QEMU's words for all cards and their back ends."""
    words = []
    for name, card in CARDS.items():
        sound = f"snd{card.slot}"
        path = machine.quoted(recording(folder, name))
        words += ["-audiodev", f"wav,id={sound},path={path},out.frequency={card.rate}"]
        for device in card.place(sound):
            words += ["-device", device]
    return words


def in_ranges(address, ranges):
    """Is an address in one of some (first, last)?"""
    return any(first <= address <= last for first, last in ranges)


def parse_resources(text):
    """The (first, last) of a function's BARs, by what sysfs says of them."""
    lines = [[int(word, 16) for word in line.split()] for line in text]
    return [(first, last) for first, last, flags in lines if flags]


def count_accesses(text, ranges):
    """How many accesses of a processor a trace shows to those addresses."""
    return sum(int(match[1]) >= 0 and in_ranges(int(match[2], 16), ranges)
               for match in ACCESS.finditer(text))


def count_interrupts(lines, numbers):
    """How many there were of those interrupts, by /proc/interrupts."""
    return sum(int(count) for number, counts in IRQ.findall("\n".join(lines))
               if int(number) in numbers for count in counts.split())


class SoundGuest:
    """The running guest, and the host's hands in it."""

    def __init__(self, child, folder):
        self.child, self.folder = child, Path(folder)
        self.lines = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.qmp = Qmp(self.folder / "qmp")
        # What the device itself would log belongs to no peer.
        self.trace("pcmaster_*", False)
        self._answer("the guest's start")
        self.numbers = {name: self._number(name) for name in CARDS}
        for number in self.numbers.values():
            self.ask(f"loud {number}", may_fail=True)

    def _listen(self):
        for line in self.child.stdout:
            self.lines.put(line.decode(errors="replace").strip("\r\n"))
        self.lines.put(None)

    def _answer(self, about):
        said = []
        while True:
            try:
                line = self.lines.get(timeout=PATIENCE)
            except queue.Empty:
                raise Problem(f"the guest does not answer: {about}") from None
            if line is None:
                raise Problem(f"QEMU ended: {about}\n" + "\n".join(said)
                              + (self.folder / "qemu.log").read_text(errors="replace"))
            if line.startswith(ANSWER):
                return int(line.split()[1]), said
            said.append(line)

    def ask(self, command, may_fail=False):
        """The lines that a command of the guest's shell prints."""
        self.child.stdin.write(f"{command}\n".encode())
        self.child.stdin.flush()
        status, said = self._answer(command)
        if status and not may_fail:
            raise Problem(f"'{command}' failed in the guest:\n" + "\n".join(said))
        return said

    def _number(self, name):
        said = self.ask(f"card {CARDS[name].address}", may_fail=True)
        if not said:
            raise Problem(f"the guest has no card for {name}:\n"
                          + "\n".join(self.ask("dmesg | tail")))
        return int(said[-1])

    def write_back(self, on):
        """Whether pcmaster's positions come from memory."""
        self.ask(f"echo {int(on)} > {PARAMETER}")

    def start(self, name, period, periods, *more):
        """Lets a card play silence for ever. more: words for aplay."""
        self.ask(shlex.join(["start", str(self.numbers[name]), "-r", str(RATE),
                             f"--period-size={period}", f"--buffer-size={period * periods}",
                             *more]))

    def stop(self):
        """Ends what plays; returns how often it ran dry."""
        return int(self.ask("stop", may_fail=True)[-1])

    def interrupts(self, name):
        """(guest's seconds, interrupts of a card until then)."""
        device = f"/sys/bus/pci/devices/{CARDS[name].address}"
        numbers = self.ask(f"ls {device}/msi_irqs 2>/dev/null || cat {device}/irq")
        said = self.ask("cat /proc/uptime /proc/interrupts")
        return (float(said[0].split()[0]),
                count_interrupts(said[1:], {int(word) for line in numbers for word in line.split()}))

    def trace(self, event, on):
        """Switches trace events."""
        self.qmp.execute("trace-event-set-state", name=event, enable=on)

    def accesses(self, name, wait):
        """Accesses to a card's registers while wait() lasts, by QEMU's trace."""
        ranges = parse_resources(self.ask(f"cat /sys/bus/pci/devices/{CARDS[name].address}/resource"))
        log = self.folder / "device.log"
        before = log.stat().st_size if log.is_file() else 0
        self.trace(ACCESSES, True)
        wait()
        self.trace(ACCESSES, False)
        with open(log, "rb") as file:
            file.seek(before)
            return count_accesses(file.read().decode(errors="replace"), ranges)


@contextlib.contextmanager
def guest(files=None, realtime=True):
    """Boots the guest with these files more; ends it at the end.

    realtime: or its time is its own, so that what else the host does shows in nothing.
    """
    _, programs, _, linux = linuxrun.prepared(series=SERIES, more=MODULES)
    with tempfile.TemporaryDirectory(prefix="pcmaster-") as folder:
        path = machine.quoted(Path(folder, "qmp"))
        plan = linuxrun.Plan(
            guest=linux, out=Path(folder), job=JOB, files=files or {}, realtime=realtime, shape=SHAPE,
            properties=None, more=("-name", "bench,debug-threads=on", "-qmp",
                                   f"unix:{path},server=on,wait=off", *devices(folder)))
        linuxrun.write_initramfs(plan)
        with open(plan.out / "qemu.log", "wb") as errors, \
                subprocess.Popen(linuxrun.command(programs, plan), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=errors) as child:
            try:
                yield SoundGuest(child, folder)
            finally:
                child.kill()
