# SPDX-License-Identifier: MIT
"""Reads WAV files strictly, and compares two of them sample by sample."""

import struct
from dataclasses import dataclass

from pcmaster.ui import Problem

PCM, EXTENSIBLE = 0x0001, 0xfffe
KINDS = {0x0002: "ADPCM", 0x0003: "floating point", 0x0006: "A-law",
         0x0007: "mu-law", 0x0011: "ADPCM", 0x0050: "MPEG", 0x0055: "MP3"}
# The rest of the GUID of which a sub-format's first two bytes are the kind.
SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")
RATES = range(8000, 192001)
SAMPLES = {8: "u8", 16: "s16"}
CONVERT = "\n  To convert it: sox '{path}' -b 16 -e signed-integer -c 2 -r 48000 new.wav"


@dataclass(frozen=True)
class Wav:
    """A PCM file: rate in Hz, sample 'u8' or 's16', interleaved frames."""

    rate: int
    channels: int
    sample: str
    data: bytes

    @property
    def sample_bytes(self):
        """The bytes of one sample."""
        return 1 if self.sample == "u8" else 2

    @property
    def frame_bytes(self):
        """The bytes of one frame: a sample of each channel."""
        return self.sample_bytes * self.channels

    @property
    def frames(self):
        """How many whole frames there are."""
        return len(self.data) // self.frame_bytes

    @property
    def seconds(self):
        """How long it plays."""
        return self.frames / self.rate

    def on_two_channels(self):
        """The same sound with a mono sample on both channels."""
        if self.channels == 2:
            return self
        size = self.sample_bytes
        doubled = bytearray(2 * len(self.data))
        for part in range(size):
            doubled[part::2 * size] = doubled[size + part::2 * size] = self.data[part::size]
        return Wav(self.rate, 2, self.sample, bytes(doubled))

    def padded(self, frames):
        """The same sound with silence up to a multiple of so many frames."""
        missing = -self.frames % frames
        return Wav(self.rate, self.channels, self.sample, self.data + missing * silence(self))

    def as_file(self):
        """A WAV file of it, with the shortest head there is."""
        head = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, PCM, self.channels, self.rate,
                           self.rate * self.frame_bytes, self.frame_bytes,
                           8 * self.sample_bytes, b"data", len(self.data))
        rest = b"WAVE" + head + self.data + bytes(len(self.data) % 2)
        return b"RIFF" + struct.pack("<I", len(rest)) + rest

    def value(self, index):
        """The sample with that index, as a number."""
        start = index * self.sample_bytes
        cut = self.data[start:start + self.sample_bytes]
        return int.from_bytes(cut, "little", signed=self.sample == "s16")


def silence(wav):
    """A frame of silence in the format of a sound."""
    return (b"\x80" if wav.sample == "u8" else b"\0\0") * wav.channels


@dataclass(frozen=True)
class Comparison:
    """What came of comparing a recording with what was to be played."""

    frames_expected: int
    frames_recorded: int
    difference: dict    # frame, channel, expected, got; None: no difference
    unheard: tuple = ()     # sentences: what of the exercises' sound is not in it

    @property
    def exact(self):
        """True if the recording is the input, no frame more and none less."""
        return not self.difference and self.frames_expected == self.frames_recorded

    def __str__(self):
        if self.exact:
            return f"bit-exact, {self.frames_expected} frames"
        found = []
        if self.difference:
            found.append("first difference at frame {frame}, channel {channel}: "
                         "expected {expected}, got {got}".format(**self.difference))
        if self.frames_recorded != self.frames_expected:
            found.append(f"{self.frames_recorded} frames recorded, "
                         f"{self.frames_expected} expected")
        return "; ".join(found)


def read(path):
    """Reads a file that the device's exact recording supports, or Problem."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise Problem(f"{path} is no WAV file (it does not begin with RIFF … WAVE).")
    chunks = _chunks(raw, path)
    if b"fmt " not in chunks or b"data" not in chunks:
        raise Problem(f"{path} is a broken WAV file: no format or no data chunk.")
    rate, channels, sample = _format(chunks[b"fmt "], path)
    wav = Wav(rate, channels, sample, chunks[b"data"])
    if not wav.data or len(wav.data) % wav.frame_bytes:
        raise Problem(f"{path} holds {len(wav.data)} bytes of sound: none, or no "
                      f"whole number of frames of {wav.frame_bytes} bytes.")
    return wav


def _chunks(raw, path):
    """The chunks of a RIFF file by name; the first of each name counts."""
    chunks, offset = {}, 12
    while offset + 8 <= len(raw):
        name, length = struct.unpack_from("<4sI", raw, offset)
        body = raw[offset + 8:offset + 8 + length]
        if len(body) < length:
            raise Problem(f"{path} is cut short: its chunk {name.decode('latin-1')!r} "
                          f"has {len(body)} of {length} bytes.")
        chunks.setdefault(name, body)
        offset += 8 + length + length % 2
    return chunks


def _format(body, path):
    """Rate, channels and sample of a format chunk; Problem if unsupported."""
    if len(body) < 16:
        raise Problem(f"{path} is a broken WAV file: its format chunk has "
                      f"{len(body)} bytes.")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if kind == EXTENSIBLE and len(body) >= 40 and body[26:40] == SUBFORMAT_TAIL:
        kind = int.from_bytes(body[24:26], "little")
    convert = CONVERT.format(path=path)
    if kind != PCM:
        name = KINDS.get(kind, f"kind {kind:#06x}")
        raise Problem(f"{path} holds {name} samples; this plays PCM.{convert}")
    if bits not in SAMPLES:
        raise Problem(f"{path} has samples of {bits} bits; this plays 8 or 16, "
                      f"which QEMU's recording can hold.{convert}")
    if channels not in (1, 2):
        raise Problem(f"{path} has {channels} channels; this plays 1 or 2, "
                      f"which QEMU's recording can hold.{convert}")
    if rate not in RATES:
        raise Problem(f"{path} has a rate of {rate} Hz; this plays {RATES[0]} "
                      f"to {RATES[-1]}.{convert}")
    return rate, channels, SAMPLES[bits]


def compare(expected, recorded):
    """Compares a recording with its original, first difference first."""
    if (expected.rate, expected.channels, expected.sample) != (
            recorded.rate, recorded.channels, recorded.sample):
        raise Problem("the recording has another rate, sample or channel count.")
    return Comparison(expected.frames, _frames_heard(expected, recorded),
                      _first_difference(expected, recorded))


def _frames_heard(expected, recorded):
    """Frames recorded, without the silence that a cyclic buffer ends with."""
    silence = b"\x80" if recorded.sample_bytes == 1 else b"\0"
    rest = recorded.data[len(expected.data):]
    return recorded.frames if rest.strip(silence) else min(recorded.frames, expected.frames)


def _first_difference(one, other):
    shared = min(len(one.data), len(other.data))
    if one.data[:shared] == other.data[:shared]:
        return None
    at = next(i for i in range(shared) if one.data[i] != other.data[i])
    index = at // one.sample_bytes
    return {"frame": index // one.channels, "channel": index % one.channels,
            "expected": one.value(index), "got": other.value(index)}
