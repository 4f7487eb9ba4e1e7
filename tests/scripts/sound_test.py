# SPDX-License-Identifier: MIT
"""The exercises' sound, and how it is found in a recording."""

import unittest

from pcmaster import sound, tap, wav

SILENCE = bytes(4)


def recording(*parts, sample="s16"):
    """A recording on two channels."""
    return sound.Heard(wav.Wav(48000, 2, sample, b"".join(parts)))


def point(**due):
    """A result that says what must be heard."""
    return tap.Point(1, "pin/one", True, details={"sounds": [due]})


class SoundTest(unittest.TestCase):
    """Where a sound is, and where it is not."""

    def setUp(self):
        self.sound = sound.make(7, 100, 2)

    def test_no_sample_is_silence_and_no_frame_like_another(self):
        frames = [self.sound[at:at + 4] for at in range(0, 400, 4)]
        self.assertEqual(len(set(frames)), 100)
        self.assertTrue(all(value & 1 for value in self.sound[::2]))

    def test_found_behind_silence(self):
        heard = recording(SILENCE * 9, self.sound, SILENCE * 5)
        self.assertEqual(heard.find(7, 100, 0), 100)
        self.assertEqual(heard.left, SILENCE * 5)

    def test_another_sound_is_not_it(self):
        self.assertEqual(recording(self.sound).find(8, 100, 3), 0)

    def test_a_frame_that_is_missing_or_comes_twice_ends_it(self):
        for frames in (self.sound[:40] + self.sound[44:], self.sound[:40] + self.sound[36:]):
            self.assertEqual(recording(frames).find(7, 100, 9), 10)

    def test_silence_within_it_is_a_gap(self):
        parts = self.sound[:40], SILENCE * 3, self.sound[40:80], SILENCE, self.sound[80:]
        for gaps, found in ((0, 10), (1, 20), (2, 100), (3, 100)):
            self.assertEqual(recording(*parts).find(7, 100, gaps), found)

    def test_bytes(self):
        heard = recording(b"\x80" * 6 + b"\x7f" * 8, sound.make(7, 50, 1), sample="u8")
        self.assertEqual(heard.find(7, 50, 0), 50)

    def test_as_few_as_must_be(self):
        for least, complaints in ((40, 0), (41, 1)):
            heard = recording(self.sound[:160])
            found = sound.judge(heard, [point(seed=7, least=least, most=100, gaps=0)])
            self.assertEqual(len(found), complaints)

    def test_sounds_come_in_order(self):
        other = sound.make(8, 100, 2)
        points = [point(seed=7, least=100, most=100, gaps=0),
                  point(seed=8, least=100, most=100, gaps=0)]
        self.assertFalse(sound.judge(recording(self.sound, SILENCE, other), points))
        self.assertTrue(sound.judge(recording(other, SILENCE, self.sound), points))

    def test_the_rest_keeps_the_silence_that_is_its_own(self):
        for silent, own, kept in ((9, 2, 2), (9, 0, 0), (1, 2, 1)):
            heard = recording(SILENCE * silent, self.sound)
            self.assertEqual(heard.rest(own), SILENCE * kept + self.sound)
        self.assertEqual(sound.lead(wav.Wav(48000, 2, "s16", SILENCE * 3 + self.sound)), 3)


if __name__ == "__main__":
    unittest.main()
