# SPDX-License-Identifier: MIT
"""What the sound card on the ISA bus must have recorded."""

import struct
import tempfile
import unittest
import wave
from pathlib import Path

from pcmaster import card, machine, tap

SOUND = struct.pack("<4h", -32768, 0x1234, -1, 0x7fff)


def point(**played):
    """An exercise that held, with what it says of the card."""
    return tap.Point(1, "slave/any", True, details={"card": played} if played else {})


def frames(wav):
    """The samples of both channels."""
    return list(struct.iter_unpack("<2h", wav.data))


class CardTest(unittest.TestCase):
    """Expected samples, and comparisons with files."""

    def test_16_bits_and_silence(self):
        due = card.expected(SOUND, [point(bits=16, bytes=8, played=12)])
        self.assertEqual((due.rate, due.channels, due.sample), (44100, 2, "s16"))
        self.assertEqual(frames(due), [(x, x) for x in (-32768, 0x1234, -1, 0x7fff, 0, 0)])

    def test_8_bits(self):
        due = card.expected(SOUND, [point(bits=8, bytes=4, played=5)])
        self.assertEqual(frames(due), [(x, x) for x in (-0x7f00, 0x1300, 0, -0x8000, 0x100)])

    def test_one_behind_the_other(self):
        due = card.expected(SOUND, [point(bits=16, bytes=8, played=8), point(),
                                    point(bits=8, bytes=4, played=4)])
        self.assertEqual(due.frames, 8)

    def test_who_needs_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = self.record(folder, b"\1\2\3\4" * 20000)
            self.assertIsNone(card.sound_for(path, ["node/0"]))
            self.assertEqual(card.sound_for(path, ["node/0", "slave/any"]),
                             (b"\1\2\3\4" * 20000)[:card.BYTES])

    def record(self, folder, data):
        """A recording of the card's format."""
        path = Path(folder, card.RECORDING)
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, card.RATE, 0, "NONE", ""))
            file.writeframes(data)
        return path

    def compared(self, change, points=None):
        """The comparison with what was due, changed; None: there is no file."""
        points = points or [point(bits=16, bytes=8, played=8 + 2 * card.SILENT_FRAMES)]
        with tempfile.TemporaryDirectory() as folder:
            data = change(card.expected(SOUND, points).data)
            if data is not None:
                self.record(folder, data)
            plan = machine.Plan({}, None, {}, Path(folder), card=SOUND)
            return card.compare(plan, points)

    def test_comparisons(self):
        for name, change, exact in (
                ("all", lambda data: data, True),
                ("silence is missing", lambda data: data[:-4 * card.SILENT_FRAMES], True),
                ("sound is missing", lambda data: data[:-4 * card.SILENT_FRAMES - 4], False),
                ("a sample differs", lambda data: b"\1" + data[1:], False),
                ("it is heard late", lambda data: bytes(4) + data, False),
                ("nothing", lambda data: None, False)):
            with self.subTest(name):
                self.assertEqual(self.compared(change).exact, exact)

    def test_nothing_was_played(self):
        self.assertFalse(self.compared(lambda data: None, [point()]).exact)

    def test_no_card(self):
        self.assertIsNone(card.compare(machine.Plan({}, None, {}, None), []))


if __name__ == "__main__":
    unittest.main()
