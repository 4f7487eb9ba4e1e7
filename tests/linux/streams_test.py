# SPDX-License-Identifier: MIT
"""Streams beside the host's view of them: positions, ends, instants, channels, errors."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import linux
from linux import loop, streams
from pcmaster import kernel, wav

COUNT, PAUSES = 4, 3
PAUSE = re.compile(r"pcmaster_stream_pause stream (\d+) position (\d+)")
WRITTEN = re.compile(r"pcmaster_write (STREAMS_(?!STOP)\w+) at \w+: 0x(\w+)")
DRAINED = re.compile(r"pcmaster_stream_drained stream 0 position (\d+)")
AT = re.compile(r"at (\d+) (\d+)$")
ODD = (1, 47, 1023, 1025, 16384, 20011, 50000 - 1)
VALUES = 32003                      # of pcmaster-streams
# Where QEMU mixes nothing there may be more than two channels; at 192 kHz the FIFO holds 10 ms
# of eight of them at most.
UNMIXED = "none,timer-period=5000,out.mixing-engine=off,in.mixing-engine=off"
SLEEP = ("echo devices > /sys/power/pm_test && echo 0 > /sys/module/suspend/parameters/"
         "pm_test_delay && echo mem > /sys/power/state")


class StreamsTest(linux.LinuxCase):
    """On both kernels, where they could differ."""

    def told(self, pattern):
        """What the device itself told, as numbers."""
        return [tuple(map(int, match)) if isinstance(match, tuple) else int(match)
                for match in pattern.findall((self.folder / "device.log").read_text())]

    def paused(self, how, series):
        """What the device and ALSA say where streams paused: (number, position) each."""
        _, outcome = self.boot(streams(how, COUNT), series=series, verbose=True,
                               properties=f"loopback=on,playback={COUNT},capture={COUNT}")
        device = self.told(PAUSE)
        self.assertEqual(len(device), 2 * COUNT * PAUSES)
        return device, [tuple(map(int, AT.match(line).groups())) for line in outcome.lines
                        if AT.match(line)]

    def test_linked_streams(self):
        for series in kernel.SUITES:
            device, _ = self.paused("linked", series)
            written = WRITTEN.findall((self.folder / "device.log").read_text())
            self.assertEqual([name for name, _ in written],
                             ["STREAMS_START"] + ["STREAMS_PAUSE", "STREAMS_RESUME"] * PAUSES)
            self.assertEqual({int(bits, 16) for _, bits in written}, {(1 << 2 * COUNT) - 1})
            for first in range(0, len(device), 2 * COUNT):
                group = {position for _, position in device[first:first + 2 * COUNT]}
                self.assertEqual(len(group), 1, device)

    def test_positions(self):
        for series in kernel.SUITES:
            device, alsa = self.paused("alone", series)
            self.assertEqual([number for number, _ in alsa], [number for number, _ in device])
            for (_, seen), (_, told) in zip(alsa, device):
                self.assertIn(told - seen, (0, 1), (alsa, device))

    def test_ends(self):
        sound = wav.Wav(48000, 2, "s16", bytes(4))
        self.boot("".join(streams("drain", frames) for frames in ODD), wav=sound)
        self.assertNotIn("pcmaster_stream_discard", (self.folder / "device.log").read_text())
        self.assertEqual(self.told(DRAINED), list(ODD))
        heard = wav.read(self.folder / "played.wav")
        values = memoryview(heard.data).cast("h")
        self.assertEqual(list(values[::2]), list(values[1::2]))
        self.assertEqual([value for value in values[::2] if value],
                         [frame % VALUES + 1 for frames in ODD for frame in range(frames)])

    def test_channels(self):
        for series in kernel.SUITES:
            self.boot("".join(loop(f"{channels} channels", channels=channels, frames=6000)
                              for channels in range(3, 9))
                      + loop("8 of 32 bits at 192 kHz", channels=8, rate=192000, format="S32_LE",
                             access="mmap", period=2048, frames=100000)
                      + loop("8 floats", channels=8, format="FLOAT_LE", pause=2, command=SLEEP),
                      series=series, audiodev=UNMIXED)

    def test_nothing_to_hear(self):
        self.boot("".join(streams("silence", rate) for rate in (4000, 44100, 192000)),
                  properties="loopback=off")

    def test_sleep_while_one_pauses(self):
        for series in kernel.SUITES:
            self.boot(loop("plays", sub=0, frames=100000, command=":").replace("\n", " &\n")
                      + "usleep 100000\n"
                      + loop("pauses", sub=1, frames=48000, rate=44100, pause=1, command=SLEEP)
                      + "wait\n", series=series, properties="loopback=on,playback=2,capture=2")

    def test_a_millisecond_on_the_newer_kernel(self):
        self.boot(loop("1 ms for 10 s", period=48, periods=8, frames=480000), series="6.12")

    def test_violations(self):
        job = "rmmod snd_pcmaster; insmod /mistaken.ko mistake=freed || held=17\n"
        for series in kernel.SUITES:
            self.boot(job + streams("fail", "play") + streams("fail", "record"), series=series,
                      files={"mistaken.ko": linux.mistaken(series)},
                      log_may="violation of window by stream [01]: |stopped: cause")
            log = (self.folder / "kernel.log").read_text()
            for stream, way, side in ((0, "read", "p"), (1, "write", "c")):
                self.assertRegex(log, f"violation of window by stream {stream}: {way} of .*"
                                      rf"buffer: pcmC0D0{side}0 \(streams, pid")
