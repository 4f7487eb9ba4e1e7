# SPDX-License-Identifier: MIT
"""What applications may do to a stream, and seldom do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import linux
from pcmaster import linuxrun, wav

CASES = ("drain-with-capture", "drain-started", "drain-unstarted", "sleep-and-close", "close-paused",
         "reset-capture", "parameter-changed", "no-wakeups", "rewind", "stalled-capture")
PROPERTIES = "loopback=on,playback=2,capture=2"
FRAMES = 48 * 1024


class CornersTest(linux.LinuxCase):
    """Each by pcmaster-corners, which says what it expects."""

    def corners(self, series):
        """All cases, on a kernel."""
        program = (linux.PROGRAMS / "pcmaster-corners").read_bytes()
        self.boot("chmod 755 /corners\n" + "".join(f"/corners {name} || held=17\n" for name in CASES),
                  series=series, shape=linux.TWO, properties=PROPERTIES, files={"corners": program})

    def test_6_1(self):
        self.corners("6.1")

    def test_6_12(self):
        self.corners("6.12")

    def test_drained_is_played(self):
        sound = wav.Wav(48000, 2, "s16", bytes(1 + i % 251 for i in range(4 * FRAMES)))
        plan = self.plan("aplay -q -D hw:0,0 /play.wav || held=17\npcmaster-host exit $held\n",
                         wav=sound, files={"play.wav": sound.as_file()})
        _, programs, _ = linux.prepared()
        outcome = linuxrun.run_plan(programs, plan)
        self.assertEqual(outcome.status, linuxrun.boot.HELD, outcome.tail())
        heard = wav.read(self.folder / "played.wav")
        self.assertIn(sound.data, heard.data)
