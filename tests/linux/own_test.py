# SPDX-License-Identifier: MIT
"""scripts/run --guest linux --kernel --headers, with Debian's as a person's own."""

import subprocess
import sys
from pathlib import Path

for folder in ("guest", "scripts", "linux"):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / folder))

import linux
import playback_test
import running
from kernels import bzimage
from pcmaster import kernel


class OwnKernelTest(running.RunCase):
    """Boots what it is given, and says what is wrong with what cannot boot."""

    def setUp(self):
        super().setUp()
        self.sound = playback_test.make(self.folder / "s.wav", 2, 2, 48000, 4800)

    def system(self, series):
        """A folder as a person's / is, with lib/modules; and the kernel it belongs to."""
        cache, *_ = linux.prepared(series)
        with cache.lock():
            chosen = kernel.debian(cache, series)
        (self.folder / "boot").mkdir()
        (self.folder / "lib/modules").mkdir(parents=True)
        (self.folder / "lib/modules" / chosen.release).symlink_to(chosen.modules[0])
        return chosen

    def run_own(self, image, headers):
        """A run that plays."""
        return self.run_with("--guest", "linux", "--exercise", "play", "--kernel", image,
                             "--headers", headers, self.sound)

    def assert_played(self, ran, release):
        """It played with that kernel."""
        self.assert_status(0, ran)
        self.assertEqual(ran.text.count("bit-exact"), 2, ran.text)
        self.assertIn(f"Linux {release};", ran.text)

    def test_elf_file(self):
        own = self.system("6.12")
        image = self.folder / "boot/vmlinux"
        image.symlink_to(own.vmlinux)
        self.assert_played(self.run_own(image, own.headers), own.release)

    def test_compressed(self):
        own = self.system("6.1")
        packed = subprocess.run(["zstd", "-1cq", own.vmlinux], stdout=subprocess.PIPE,
                                check=True).stdout
        image = self.folder / "boot/vmlinuz"
        image.write_bytes(bzimage(packed + bytes(4), own.release))
        self.assert_played(self.run_own(image, own.headers), own.release)

    def test_headers_of_another(self):
        own = self.system("6.1")
        cache, *_ = linux.prepared("6.12")
        with cache.lock():
            other = kernel.debian(cache, "6.12")
        ran = self.run_own(own.vmlinux, other.headers)
        self.assert_status(2, ran)
        self.assertRegex(ran.text, f"{own.release}.*does not load")

    def test_build_that_fails(self):
        own = self.system("6.1")
        image = self.folder / "boot/vmlinux"
        image.symlink_to(own.vmlinux)
        headers = self.folder / "headers"
        headers.mkdir()
        for path in own.headers.iterdir():
            (headers / path.name).symlink_to(path)
        (headers / "Makefile").unlink()
        (headers / "Makefile").write_text("modules:\n\t@echo no compiler today; false\n")
        ran = self.run_own(image, headers)
        self.assert_status(2, ran)
        for says in ("cannot be built for Linux", "no compiler today", "The whole log:",
                     "CONFIG_CC_VERSION_TEXT"):
            self.assertIn(says, ran.text)
