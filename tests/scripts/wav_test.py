# SPDX-License-Identifier: MIT
"""Reading WAV files that are right, unusual or broken, and comparing them."""

import struct
import tempfile
import unittest
from pathlib import Path

from pcmaster import wav
from pcmaster.ui import Problem

FLOAT = 3


def chunk(name, body):
    """A RIFF chunk with its padding byte."""
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def form(kind=wav.PCM, channels=2, rate=48000, bits=16):
    """The body of a format chunk."""
    frame = channels * bits // 8
    return struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, bits)


def extensible(kind, **options):
    """The body of a format chunk that names its kind in a GUID."""
    body = form(kind=wav.EXTENSIBLE, **options)
    return body + struct.pack("<HHIH", 22, 16, 3, kind) + wav.SUBFORMAT_TAIL


def riff(*chunks):
    """A whole WAV file."""
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


class ReadTest(unittest.TestCase):
    """What read() takes and refuses."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "file.wav"

    def read(self, raw):
        """Reads these bytes as a file."""
        self.path.write_bytes(raw)
        return wav.read(self.path)

    def refused(self, raw, reason):
        """These bytes must be refused for that reason."""
        with self.assertRaisesRegex(Problem, reason):
            self.read(raw)

    def test_every_supported_kind(self):
        for bits, sample in wav.SAMPLES.items():
            for channels in (1, 2):
                for rate in (8000, 44100, 192000):
                    data = bytes(range(24))
                    got = self.read(riff(
                        chunk(b"fmt ", form(channels=channels, rate=rate, bits=bits)),
                        chunk(b"data", data)))
                    self.assertEqual(got, wav.Wav(rate, channels, sample, data))
                    self.assertEqual(got.frames, 24 * 8 // bits // channels)

    def test_extensible_pcm(self):
        got = self.read(riff(chunk(b"fmt ", extensible(wav.PCM)), chunk(b"data", bytes(8))))
        self.assertEqual((got.sample, got.frames), ("s16", 2))

    def test_other_chunks_are_passed_over(self):
        got = self.read(riff(chunk(b"LIST", b"odd"), chunk(b"fmt ", form(channels=1)),
                             chunk(b"data", b"\1\0"), chunk(b"junk", b"")))
        self.assertEqual(got.data, b"\1\0")

    def test_samples_are_signed_by_kind(self):
        self.assertEqual(wav.Wav(8000, 1, "s16", b"\xff\xff").value(0), -1)
        self.assertEqual(wav.Wav(8000, 1, "u8", b"\x01\xff").value(1), 255)

    def test_mono_on_two_channels(self):
        for sample, data, doubled in (("u8", b"\1\2", b"\1\1\2\2"),
                                      ("s16", b"\1\2\3\4", b"\1\2\1\2\3\4\3\4")):
            self.assertEqual(wav.Wav(8000, 1, sample, data).on_two_channels(),
                             wav.Wav(8000, 2, sample, doubled))
        stereo = wav.Wav(8000, 2, "u8", b"\1\2")
        self.assertIs(stereo.on_two_channels(), stereo)

    def test_unsupported_kinds_say_what_they_are(self):
        data = chunk(b"data", bytes(48))
        for body, reason in ((form(kind=FLOAT, bits=32), "floating point.*sox"),
                             (extensible(FLOAT, bits=32), "floating point"),
                             (form(kind=7, bits=8), "mu-law"),
                             (form(kind=0x1234), "kind 0x1234"),
                             (form(bits=24), "24 bits"), (form(bits=0), "0 bits"),
                             (form(channels=6), "6 channels"),
                             (form(channels=0), "0 channels"),
                             (form(rate=7999), "7999 Hz"),
                             (form(rate=192001), "192001 Hz")):
            with self.subTest(reason=reason):
                self.refused(riff(chunk(b"fmt ", body), data), f"(?s){reason}")

    def test_no_wav_at_all(self):
        for raw in (b"", b"RIFF", b"RIFF\0\0\0\0AVI ", b"OggS" + bytes(60)):
            self.refused(raw, "no WAV file")

    def test_broken_files(self):
        whole = riff(chunk(b"fmt ", form()), chunk(b"data", bytes(64)))
        self.refused(whole[:-1], "cut short.*63 of 64")
        self.refused(whole[:30], "cut short")
        self.refused(riff(chunk(b"data", bytes(4))), "no format")
        self.refused(riff(chunk(b"fmt ", form())), "no data")
        self.refused(riff(chunk(b"fmt ", b"short"), chunk(b"data", b"")), "5 bytes")
        self.refused(riff(chunk(b"fmt ", form()), chunk(b"data", b"")), "0 bytes of sound")
        self.refused(riff(chunk(b"fmt ", form()), chunk(b"data", bytes(6))), "whole number")

    def test_a_file_that_cannot_be_opened(self):
        with self.assertRaisesRegex(Problem, "No such file"):
            wav.read(self.path)
        with self.assertRaisesRegex(Problem, "Is a directory"):
            wav.read(self.path.parent)


class CompareTest(unittest.TestCase):
    """The sample-by-sample comparison."""

    def setUp(self):
        self.data = struct.pack("<8h", *range(8))
        self.wav = wav.Wav(48000, 2, "s16", self.data)

    def against(self, data):
        """Compares with other data of the same kind."""
        return wav.compare(self.wav, wav.Wav(48000, 2, "s16", data))

    def test_equal(self):
        got = self.against(self.data)
        self.assertTrue(got.exact)
        self.assertEqual(str(got), "bit-exact, 4 frames")

    def test_first_difference_of_several(self):
        got = self.against(struct.pack("<8h", 0, 1, 2, -300, 4, 9, 9, 9))
        self.assertFalse(got.exact)
        self.assertEqual(got.difference,
                         {"frame": 1, "channel": 1, "expected": 3, "got": -300})

    def test_a_difference_in_a_high_byte(self):
        got = self.against(struct.pack("<8h", 0, 1, 2, 3, 4, 5, 6, 7 + 256))
        self.assertEqual(got.difference["frame"], 3)
        self.assertEqual(got.difference["got"], 263)

    def test_lengths(self):
        for data, frames in ((self.data[:-4], 3), (self.data + bytes(3) + b"\1", 5), (b"", 0)):
            got = self.against(data)
            self.assertFalse(got.exact)
            self.assertIsNone(got.difference)
            self.assertIn(f"{frames} frames recorded, 4 expected", str(got))

    def test_silence_at_the_end_is_no_difference(self):
        got = self.against(self.data + bytes(40))
        self.assertTrue(got.exact)
        self.assertEqual(str(got), "bit-exact, 4 frames")

    def test_silence_of_bytes_is_in_their_middle(self):
        eight = wav.Wav(48000, 1, "u8", b"\1\2")
        for silence, exact in ((b"\x80", True), (b"\0", False)):
            got = wav.compare(eight, wav.Wav(48000, 1, "u8", eight.data + 9 * silence))
            self.assertEqual(got.exact, exact)

    def test_another_kind_is_an_error(self):
        with self.assertRaises(Problem):
            wav.compare(self.wav, wav.Wav(44100, 2, "s16", self.data))
