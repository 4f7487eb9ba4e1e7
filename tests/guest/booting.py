# SPDX-License-Identifier: MIT
"""Boots guests that scripts/run has no options for: other machines and clients."""

import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pcmaster import machine, prepare, tap
from pcmaster.qemu import SYSTEM
from pcmaster.shape import Shape

PATIENCE = 120
EXECUTIVE = Path(os.environ["PCMASTER_BUILD"], "guest-driver/executive")
SELFTEST = EXECUTIVE / "selftest.sys"
VIOLATION = EXECUTIVE / "violation.sys"


@dataclass(frozen=True)
class Machine:
    """A shape, and whether the device is in it."""

    name: str
    shape: Shape
    device: bool = True

    def words(self):
        """QEMU's options for it."""
        words = self.shape.words()
        if self.device:
            more, bus = self.shape.device_bus()
            words += ["-audiodev", "none,id=snd", *more,
                      "-device", f"pcmaster,bus={bus},audiodev=snd,{machine.STREAMS}"]
        return words


USUAL = Machine("4 nodes", Shape())
SMALL = Machine("256 MiB", Shape(nodes=1, cpus=1, memory=256))
REMAPPED = Machine("IOMMU", Shape(nodes=1, cpus=1, memory=256, iommu=True))
LARGE = Machine("12 GiB", Shape(memory=12288))
BARE = Machine("no device", SMALL.shape, device=False)


@dataclass(frozen=True)
class Booted:
    """How a boot ended."""

    status: int         # QEMU's exit status
    text: str           # the console, and what QEMU complained about
    results: tap.Results


@functools.lru_cache(maxsize=None)
def programs_and_images():
    """QEMU's folder and the guest's images, made ready once."""
    _, programs, guest = prepare.everything()
    return programs, guest.images


def boot(on, keys, client=None, driver=None, ids=None):
    """Boots that machine with these keys, and waits for its end.

    ids: a file of what the driver is for.
    """
    programs, images = programs_and_images()
    if client:
        images = {**images, "client.sys": client}
    plan = machine.Plan(images=images, driver=driver or images["driver.sys"],
                        keys=keys, out=None, ids=ids)
    words = [programs / SYSTEM, *on.words(), "-accel", plan.accel, "-icount", plan.icount,
             "-nodefaults", "-display", "none", "-no-reboot", "-no-user-config",
             *machine.console(), *machine.guest(plan)]
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=PATIENCE)
    return Booted(done.returncode, done.stdout, tap.parse(done.stdout.splitlines()))
