# SPDX-License-Identifier: MIT
"""A guest that cannot do what it is for ends at once, and says why."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import linux
from pcmaster import boot, linuxrun, wav

SOUND = wav.Wav(48000, 2, "s16", bytes(4 * 4800))


class EndingTest(linux.LinuxCase):
    """None waits until a person loses patience."""

    def ended(self, status, job, **more):
        """Boots; what the console held when it had ended so."""
        plan = self.plan(job, **more)
        _, programs, _ = linux.prepared()
        outcome = linuxrun.run_plan(programs, plan)
        text = "\n".join(outcome.lines)
        self.assertEqual(outcome.status, status, text)
        return text

    def test_module_that_does_not_load(self):
        text = self.ended(boot.COULD_NOT_START, "echo late\n",
                          files={"modules/order": b"snd-pcmaster.ko\n"})
        self.assertIn("does not take in snd-pcmaster.ko", text)
        self.assertIn("Unknown symbol", text)
        self.assertNotIn("late", text)

    def test_no_card(self):
        self.ended(boot.FAILED, linuxrun.play(SOUND), properties=None,
                   files={"play.wav": SOUND.as_file()})
