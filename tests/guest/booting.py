# SPDX-License-Identifier: MIT
"""Boots guests that scripts/run has no options for: other machines and clients."""

import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pcmaster import machine, prepare, tap
from pcmaster.qemu import SYSTEM

PATIENCE = 120
EXECUTIVE = Path(os.environ["PCMASTER_BUILD"], "guest-driver/executive")
SELFTEST = EXECUTIVE / "selftest.sys"
VIOLATION = EXECUTIVE / "violation.sys"


@dataclass(frozen=True)
class Machine:
    """A q35 with equal nodes; the device is on the last root bus."""

    name: str
    mib: int            # of each node
    nodes: int
    device: bool = True

    def words(self):
        """QEMU's options for it."""
        words = ["-M", "q35", "-m", f"{self.mib * self.nodes}M", "-smp", self.nodes]
        if self.nodes > 1:
            for node in range(self.nodes):
                words += ["-object", f"memory-backend-ram,id=m{node},size={self.mib}M",
                          "-numa", f"node,nodeid={node},cpus={node},memdev=m{node}"]
        if self.device:
            words += self.device_words()
        return words

    def device_words(self):
        """The device behind a root port: of its own root bus, or the first."""
        words = ["-audiodev", "none,id=snd"]
        bus = "pcie.0"
        if self.nodes > 1:
            bus = "pxb1"
            words += ["-device", f"pxb-pcie,id={bus},bus=pcie.0,bus_nr=0x40,numa_node=1"]
        return words + ["-device", f"pcie-root-port,id=rp1,bus={bus},chassis=1,slot=1",
                        "-device", "pcmaster,bus=rp1,audiodev=snd"]


USUAL = Machine("4 nodes", machine.NODE_MIB, machine.NODES)
SMALL = Machine("256 MiB", 256, 1)
LARGE = Machine("12 GiB", 3072, 4)
BARE = Machine("no device", 256, 1, device=False)


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


def boot(on, keys, client=None, driver=None):
    """Boots that machine with these keys, and waits for its end."""
    programs, images = programs_and_images()
    if client:
        images = {**images, "client.sys": client}
    plan = machine.Plan(images=images, driver=driver or images["driver.sys"],
                        keys=keys, out=None)
    words = [programs / SYSTEM, *on.words(), "-accel", plan.accel, "-icount", plan.icount,
             "-nodefaults", "-display", "none", "-no-reboot", "-no-user-config",
             *machine.console(), *machine.guest(plan)]
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=PATIENCE)
    return Booted(done.returncode, done.stdout, tap.parse(done.stdout.splitlines()))
