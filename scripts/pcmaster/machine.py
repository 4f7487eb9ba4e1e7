# SPDX-License-Identifier: MIT
"""QEMU's command line: the machine, the device and what the guest is given."""

import fcntl
import re
from dataclasses import dataclass
from pathlib import Path

from pcmaster import card, iommu, process
from pcmaster.qemu import SYSTEM
from pcmaster.shape import Shape
from pcmaster.ui import Problem

KVM_GET_API_VERSION = 0xae00
TICK_US = 10000             # QEMU's own choice
WAV_FRAMES = 1024
ICOUNT = "shift=4,sleep=off"
FILES = "opt/org.pcmaster"
STREAMS = "playback=4,capture=4,loopback=on"    # what is played is what is captured
QUIET_EVENTS = ("pcmaster_violation_*", "pcmaster_log_*", "pcmaster_reset",
                "pcmaster_exerciser_*", "pcmaster_stream_*")


@dataclass(frozen=True)
class Plan:
    """One boot: what the guest runs and with which clock, sound and driver."""

    images: dict            # as in guest.Guest
    driver: Path
    keys: dict              # the guest's command line
    out: Path
    wav: object = None      # wav.Wav to play, or None
    card: bytes = None      # what a sound card on the ISA bus shall play; None: there is none
    realtime: bool = False
    accel: str = "tcg"
    audiodev: str = None    # a back end to listen with, in QEMU's words
    verbose: bool = False
    shape: Shape = Shape()
    devices: tuple = ()     # more of them, in QEMU's words; see placed()
    ids: Path = None        # what the driver is for, an ID a line; None: pcmaster

    @property
    def icount(self):
        """QEMU's -icount, or None where the guest's time is real time."""
        return None if self.realtime else ICOUNT


def command(programs, plan):
    """The words that start QEMU for a plan."""
    words = [programs / SYSTEM, *plan.shape.words(), "-accel", accelerator(plan),
             "-nodefaults", "-display", "none", "-no-reboot", "-no-user-config"]
    if plan.icount:
        words += ["-icount", plan.icount]
    words += device(plan) + console() + guest(plan) + log(plan)
    return [str(word) for word in words]


def accelerator(plan):
    """Translated processors run at once, each in a thread, but for -icount's."""
    return f"{plan.accel},thread=multi" if plan.accel == "tcg" and plan.realtime else plan.accel


def device(plan):
    """The device, where its sound goes, and other devices."""
    words, bus = plan.shape.device_bus()
    words += ["-audiodev", sound(plan), "-device", f"pcmaster,bus={bus},audiodev=snd,{STREAMS}"]
    if plan.card:
        words += ["-audiodev", f"wav,id=card,path={quoted(plan.out / card.RECORDING)},"
                  f"out.frequency={card.RATE},out.channels=2,out.format=s16",
                  "-device", f"{card.DEVICE},audiodev=card"]
    for more in plan.devices:
        words += ["-device", more]
    return words


def placed(programs, spec, shape):
    """The words of a device that was asked for: one that is PCI's goes to the first
    root bus unless they name another. Problem if QEMU has no such device."""
    name, _, properties = spec.partition(",")
    listing = process.output([programs / SYSTEM, "-M", shape.board, "-device", "help"]) or ""
    found = re.search(rf'^name "{re.escape(name)}"(?:, bus ([^,\s]+))?', listing, re.MULTILINE)
    if not found:
        raise Problem(f"--device {name}: this QEMU has no such device")
    if found[1] != "PCI" or "bus=" in properties:
        return spec
    return f"{spec},bus={shape.root_bus}"


def sound(plan):
    """The back end: a recording in the format of what is played, or another.

    It always has two channels: where a back end has one, QEMU's mixer adds up
    left and right of a mono voice, which makes it twice as loud. QEMU's wav
    back end takes 1024 frames at each tick of its timer and no more.
    """
    if plan.audiodev:
        driver, comma, rest = plan.audiodev.partition(",")
        return f"{driver},id=snd{comma}{rest}"
    if not plan.wav:
        return "none,id=snd"
    period = min(TICK_US, WAV_FRAMES // 2 * 1000000 // plan.wav.rate)
    return (f"wav,id=snd,timer-period={period},path={quoted(plan.out / 'played.wav')},"
            f"out.frequency={plan.wav.rate},out.channels=2,"
            f"out.format={plan.wav.sample}")


def console():
    """The guest's messages come out of QEMU's standard output."""
    return ["-chardev", "stdio,id=console,signal=off",
            "-device", "isa-debugcon,iobase=0xe9,chardev=console",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]


def modules(plan):
    """What the guest loads: a module's name -> its image."""
    names = ("ntoskrnl.exe", "hal.dll", "portcls.sys", "client.sys")
    loaded = {name: plan.images[name] for name in names} | {"driver.sys": plan.driver}
    return loaded | {card.DRIVER: plan.images[card.DRIVER]} if plan.card else loaded


def guest(plan):
    """The guest's images, files and command line."""
    files = modules(plan)
    keys = dict(plan.keys)
    if plan.ids:
        files["driver.ids"] = plan.ids
    if plan.wav:
        files["play.pcm"] = plan.out / "play.pcm"
        keys["play"] = f"{plan.wav.rate}:{plan.wav.channels}:{plan.wav.sample}"
    if plan.card:
        files["card.pcm"] = plan.out / "card.pcm"
        keys["isa"] = card.DRIVER
    words = ["-kernel", plan.images["boot"],
             "-append", " ".join(f"{key}={value}" for key, value in keys.items())]
    for name, path in files.items():
        words += ["-fw_cfg", f"name={FILES}/{name},file={quoted(path)}"]
    return words


def log(plan):
    """The device's own report, which does not pass through the guest."""
    events = ("pcmaster_*",) if plan.verbose else QUIET_EVENTS
    if plan.shape.iommu:
        events += iommu.EVENTS
    words = ["-D", plan.out / "device.log", "-d", "guest_errors"]
    for event in events:
        words += ["-trace", event]
    return words


def quoted(path):
    """A path as part of one of QEMU's option strings."""
    return str(path).replace(",", ",,")


def check_kvm():
    """Raises Problem unless KVM works here."""
    try:
        with open("/dev/kvm", "rb+", buffering=0) as kvm:
            fcntl.ioctl(kvm, KVM_GET_API_VERSION)
    except OSError as error:
        raise Problem(f"KVM does not work here: /dev/kvm: {error.strerror}. "
                      "Leave out --accel kvm.") from error


def check_audiodev(programs, spec):
    """Raises Problem if QEMU was built without that audio back end."""
    driver = spec.partition(",")[0]
    listing = process.output([programs / SYSTEM, "-audiodev", "help"]) or ""
    known = [line.strip() for line in listing.splitlines() if line
             and not line.endswith(":")]
    if driver not in known:
        raise Problem(f"--audiodev {driver}: this QEMU has no such back end; it "
                      f"has {', '.join(known)}.")
