# SPDX-License-Identifier: MIT
"""The sound card on the ISA bus: what the exercises of system DMA have it play, and
what its back end must have recorded."""

from pcmaster import wav
from pcmaster.ui import Problem

GROUP = "slave/"        # the exercises that need it
DEVICE = "sb16"
DRIVER = "sb16.sys"
RATE = 44100            # the highest that it plays at
# A few turns of the driver's buffer, and not a whole number of its packets.
BYTES = 44000
RECORDING = "card.wav"
# The driver ends every sound with at least as much silence. Of what a voice plays last
# QEMU keeps a tick's worth back until that voice plays again.
SILENT_FRAMES = 1024


def sound_for(path, names):
    """The bytes of a WAV that the card shall play, two for each sample, if any of
    those exercises needs it; or None."""
    if not any(name.startswith(GROUP) for name in names):
        return None
    data = wav.read(path).data[:BYTES]
    return data[:len(data) & ~1]


def expected(sound, points):
    """What they have played, one after the other, as the card records it.

    What fills up the last block is silence.
    """
    recorded = bytearray()
    for point in points:
        played = point.details.get("card")
        if not played:
            continue
        if played["bits"] == 8:
            silent = played["played"] - len(sound) // 2
            mono = _of_8_bits(bytes(high ^ 0x80 for high in sound[1::2]) + b"\x80" * silent)
        else:
            mono = sound + bytes(played["played"] - len(sound))
        recorded += mono
    return wav.Wav(RATE, 1, "s16", bytes(recorded)).on_two_channels()


def _of_8_bits(samples):
    """Unsigned samples as QEMU's mixer makes 16 bits of them: 127 is its middle, and
    the largest becomes the smallest."""
    return b"".join((((sample - 127) * 256) & 0xffff).to_bytes(2, "little")
                    for sample in samples)


def compare(plan, points):
    """The recording compared with what was played: wav.Comparison; None: there is no
    card. Where there is one, to have played nothing is not what was due."""
    if not plan.card:
        return None
    due = expected(plan.card, points)
    if not due.frames:
        return wav.Comparison(len(plan.card) // 2, 0, None)
    try:
        recorded = wav.read(plan.out / RECORDING)
    except Problem:
        return wav.Comparison(due.frames, 0, None)
    if 0 < due.frames - recorded.frames <= SILENT_FRAMES:
        due = wav.Wav(due.rate, due.channels, due.sample, due.data[:len(recorded.data)])
    return wav.compare(due, recorded)
