# SPDX-License-Identifier: MIT
"""Playing: every kind of WAV exact, two runs alike, and faster than it sounds."""

import array
import random
import resource
import wave

import running

KINDS = [(1, 1, 8000), (1, 2, 11025), (2, 1, 44100), (2, 2, 48000), (2, 2, 96000),
         (2, 2, 192000)]
LONG_SECONDS, LONG_LIMIT = 60, 3.0


def make(path, sample_bytes, channels, rate, frames, seed=1):
    """Writes a WAV of noise: no two buffers of it are alike."""
    source = random.Random(seed)
    with wave.open(str(path), "wb") as file:
        file.setsampwidth(sample_bytes)
        file.setnchannels(channels)
        file.setframerate(rate)
        file.writeframes(source.randbytes(sample_bytes * channels * frames))
    return path


def processor_seconds():
    """What the child processes that ended have cost, other load left out."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def samples(file, channel):
    """A channel's samples of an open WAV."""
    file.rewind()
    data = file.readframes(file.getnframes())
    all_of_them = array.array("h" if file.getsampwidth() == 2 else "B", data)
    return all_of_them[channel::file.getnchannels()]


class PlaybackTest(running.RunCase):
    """Each plays something and looks at the recording."""

    def play(self, path, *words):
        """Plays a file without the exercises."""
        ran = self.run_with(path, "--exercise", "play", *words)
        self.assert_status(0, ran)
        self.assertTrue(ran.results()["audio"]["exact"])
        return ran

    def test_every_kind(self):
        for sample_bytes, channels, rate in KINDS:
            path = make(self.folder / "kind.wav", sample_bytes, channels, rate, rate // 3)
            ran = self.play(path)
            with wave.open(str(ran.out / "played.wav")) as played:
                self.assertEqual(played.getparams()[:3], (2, sample_bytes, rate))
                for channel in range(2):
                    # Silence follows, as run() has seen.
                    self.assertEqual(samples(played, channel)[:rate // 3],
                                     samples(wave.open(str(path)), channel % channels))

    def test_the_exercises_sounds_in_other_recordings(self):
        for sample_bytes, rate in ((1, 22050), (2, 192000)):
            path = make(self.folder / "other.wav", sample_bytes, 2, rate, rate // 4)
            ran = self.run_with(path, "--exercise", "pin/*")
            self.assert_status(0, ran)
            self.assertEqual(ran.results()["audio"]["unheard"], [])

    def test_lengths_around_a_period(self):
        for frames in (1, 2, 479, 480, 481, 1023, 1024, 1025, 4096, 10007):
            self.play(make(self.folder / "length.wav", 2, 2, 48000, frames, frames))

    def test_every_value_of_a_sample(self):
        for sample_bytes, values in ((1, array.array("B", range(256))),
                                     (2, array.array("h", range(-32768, 32768)))):
            for channels in (1, 2):
                path = self.folder / "values.wav"
                with wave.open(str(path), "wb") as file:
                    file.setsampwidth(sample_bytes)
                    file.setnchannels(channels)
                    file.setframerate(48000)
                    file.writeframes(values.tobytes())
                self.play(path)

    def test_two_runs_are_identical(self):
        path = make(self.folder / "twice.wav", 2, 2, 48000, 30000)
        one, other = self.play(path), self.play(path)
        self.assertEqual((one.out / "played.wav").read_bytes(),
                         (other.out / "played.wav").read_bytes())
        self.assertEqual((one.out / "results.tap").read_text(),
                         (other.out / "results.tap").read_text())

    def test_a_minute_plays_in_seconds(self):
        path = make(self.folder / "long.wav", 2, 2, 48000, 48000 * LONG_SECONDS)
        before = processor_seconds()
        ran = self.play(path)
        took = processor_seconds() - before
        self.assertLess(took, LONG_LIMIT, f"{ran.results()['seconds']} s on the clock")

    def test_real_time_takes_its_time(self):
        ran = self.play(make(self.folder / "real.wav", 2, 2, 48000, 48000), "--realtime")
        self.assertIsNone(ran.results()["icount"])
        self.assertGreater(ran.results()["seconds"], 1.0)

    def test_another_back_end_compares_nothing(self):
        path = make(self.folder / "none.wav", 2, 2, 48000, 4800)
        ran = self.run_with(path, "--exercise", "play", "--audiodev", "none")
        self.assert_status(0, ran)
        self.assertIsNone(ran.results()["audio"])
