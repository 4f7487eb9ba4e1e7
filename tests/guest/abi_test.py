# SPDX-License-Identifier: MIT
"""IDmaChannel, called by code of other compilers: a structure is returned by a member
function in one way by Microsoft's C++ compiler, and in another by all others."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import booting
from pcmaster import CHECKOUT, boot

SOURCES = CHECKOUT / "tests/guest/abi"
GUEST = CHECKOUT / "guest-driver"
# The way to the device is the self-test's.
C_SOURCES = (SOURCES / "abi.c", GUEST / "executive/client/link.c",
             GUEST / "executive/selftest/filterlink.c")
INCLUDES = [f"-I{GUEST / folder}" for folder in
            ("include", "exercises", "executive/client", "executive/selftest")]
DDK = "/usr/x86_64-w64-mingw32/include/ddk"
MINGW = "x86_64-w64-mingw32-gcc"
PLAIN = ["-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-stack-protector",
         "-mgeneral-regs-only"]
C = [MINGW, "-std=gnu11", *PLAIN, "-isystem", DDK, *INCLUDES, "--param=min-pagesize=0",
     "-D__INTRINSIC_DEFINED___faststorefence"]
CPLUSPLUS = ["clang++", "-std=c++17", "-fno-exceptions", "-fno-rtti", *PLAIN]
LINK = ["-nostdlib", "-nostartfiles", "-Wl,--subsystem,native", "-Wl,--dynamicbase",
        "-Wl,--entry,DriverEntry"]


class AbiTest(unittest.TestCase):
    """The same calls, compiled for two ABIs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def image(self, target):
        """A client whose C++ part is compiled for that target."""
        commands, made = [], []
        for source in (*C_SOURCES, SOURCES / "channel.cpp"):
            made.append(self.folder / f"{source.stem}.o")
            compiler = C if source.suffix == ".c" else [*CPLUSPLUS, f"--target={target}"]
            commands.append([*compiler, "-c", source, "-o", made[-1]])
        client = self.folder / "abi.sys"
        commands.append([MINGW, *LINK, *made, *(booting.EXECUTIVE / f"lib{name}.a"
                                                for name in ("portcls", "ntoskrnl")),
                         "-lgcc", "-o", client])
        for command in commands:
            subprocess.run([str(word) for word in command], check=True)
        return client

    def agrees(self, target):
        """What that code sees of a channel is so, with and without an IOMMU."""
        client = self.image(target)
        for on in (booting.SMALL, booting.REMAPPED):
            ran = booting.boot(on, {"exercise": "none"}, client=client)
            self.assertEqual(ran.results.faults(), [], ran.text)
            self.assertEqual(ran.status, boot.HELD, ran.text)

    def test_microsofts(self):
        self.agrees("x86_64-pc-windows-msvc")

    def test_the_others(self):
        self.agrees("x86_64-w64-windows-gnu")


if __name__ == "__main__":
    unittest.main()
