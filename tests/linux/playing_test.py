# SPDX-License-Identifier: MIT
"""scripts/run --guest linux, as a person runs it."""

import filecmp
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "guest"))

import playback_test
import running


class LinuxTest(running.RunCase):
    """aplay and arecord, bit by bit."""

    def play(self, *words):
        """A run without exercises that must hold."""
        ran = self.run_with("--guest", "linux", "--exercise", "play", *words)
        self.assert_status(0, ran)
        self.assertEqual(ran.text.count("bit-exact"), 2, ran.text)
        return ran

    def test_twice_the_same(self):
        sound = playback_test.make(self.folder / "s.wav", 2, 2, 44100, 20000)
        one, other = (self.play(sound) for _ in range(2))
        for name in ("played.wav", "recorded.raw"):
            self.assertTrue(filecmp.cmp(one.out / name, other.out / name, shallow=False), name)

    def test_mono_of_8_bits_with_iommu(self):
        self.play(playback_test.make(self.folder / "s.wav", 1, 1, 8000, 4001), "--iommu")

    def test_exercises(self):
        ran = self.run_with("--guest", "linux", "--exercise", "*/*")
        self.assert_status(0, ran)
        self.assertRegex(ran.text, "1[0-9][0-9] held, 0 failed")

    def test_exercises_with_iommu(self):
        ran = self.run_with("--guest", "linux", "--exercise", "*/*", "--iommu")
        self.assert_status(0, ran)
        self.assertRegex(ran.text, "1[0-9][0-9] held, 0 failed")
        for name in ("iommu/physical-address", "limit/low-memory-spared", "plain/exhausted"):
            self.assertRegex(ran.text, f"(?m)^{name} .* held$")

    def test_exercises_on_a_small_machine_with_iommu(self):
        ran = self.run_with("--guest", "linux", "--exercise", "*/*", "--iommu", "--memory", "512M")
        self.assert_status(0, ran)

    def test_real_time(self):
        self.play(playback_test.make(self.folder / "s.wav", 2, 2, 48000, 48000), "--realtime")

    def test_options(self):
        for words in (["--guest", "linux", "--fault", "limit"], ["--shell"],
                      ["--guest", "linux", "--kernel", "vmlinuz"]):
            self.assert_status(2, self.run_with(*words))

    def test_no_kernel(self):
        image = self.folder / "vmlinuz"
        image.write_bytes(b"no kernel")
        ran = self.run_with("--guest", "linux", "--kernel", image, "--headers", self.folder)
        self.assert_status(2, ran)
        self.assertIn("no kernel for x86", ran.text)
