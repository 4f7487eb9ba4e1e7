# SPDX-License-Identifier: MIT
"""What a person can get wrong: a message that helps, status 2, nothing broken."""

import fcntl
import os
import subprocess
import time
from pathlib import Path

import running
from pcmaster import CHECKOUT, guest
from pcmaster.run import DEFAULT_WAV

FLOAT_WAV = (b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x03\0\x01\0\x80\xbb\0\0\0\xee\x02\0"
             b"\x04\0\x20\0data\x08\0\0\0" + bytes(8))


class ErrorsTest(running.RunCase):
    """Each gives scripts/run something wrong."""

    def refused(self, reason, *words):
        """These words must be refused for that reason, with no trace of Python."""
        ran = self.run_with(*words)
        self.assert_status(2, ran)
        self.assertIn(reason, ran.text)
        self.assertNotIn("Traceback", ran.text)
        self.assertNotIn("results.json", os.listdir(ran.out))
        return ran

    def file(self, name, content):
        """A file of the test's folder."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def image(self, key):
        """The path of one of the guest's images."""
        return Path(os.environ["PCMASTER_BUILD"], guest.IMAGES[key])

    def test_options(self):
        for words, reason in (
                (["--no-such"], "unrecognized arguments: --no-such"),
                (["--exer", "*"], "--exer"),
                (["--policy", "abort"], "--policy goes with --fault"),
                (["--fault", "limit", "--policy", "no"], "invalid choice: 'no'"),
                (["--fault", "limit", "--exercise", "*"], "--fault runs one"),
                (["--fault", "limit", DEFAULT_WAV], "--fault runs one"),
                (["--accel", "kvm"], "--accel kvm goes with --realtime"),
                (["--accel", "xen"], "invalid choice: 'xen'"),
                (["--platform", "win95"], "invalid choice: 'win95'"),
                (["--platform", "win8", "--fault", "limit"], "the interface of Windows 10"),
                (["--nodes", "9"], "not a number from 1 to 8: '9'"),
                (["--memory", "6"], "not a size of 128M or more"),
                (["--empty-node", "--cpus", "1"], "it needs --cpus 2 or more"),
                (["--exercise", "[a"], "wild cards * and ?"),
                (["--exercise", "a b"], "no spaces"),
                (["one.wav", "two.wav"], "unrecognized arguments: two.wav")):
            with self.subTest(words=words):
                self.refused(reason, *words)

    def test_names_that_there_are_not(self):
        self.refused("no fault is named 'none'; there are: ", "--fault", "none")
        self.refused("no exercise matches 'zebra*'", "--exercise", "zebra*")
        self.refused("no exercise matches ''", "--exercise", "")
        self.refused("no such back end", "--audiodev", "gramophone")

    def test_more_memory_than_there_is(self):
        ran = self.refused("QEMU did not start", "--memory", "99999999G")
        self.assertIn("memory", ran.text)

    def test_files_that_are_no_wav(self):
        self.refused("no WAV file", self.file("text.wav", b"no sound\n"))
        self.refused("No such file", self.folder / "absent.wav")
        self.refused("Is a directory", self.folder)

    def test_wavs_of_other_kinds(self):
        ran = self.refused("floating point", self.file("float.wav", FLOAT_WAV))
        self.assertIn("sox", ran.text)
        self.refused("cut short", self.file("short.wav", DEFAULT_WAV.read_bytes()[:-100]))

    def test_files_that_are_no_driver(self):
        whole = self.image("driver.sys").read_bytes()
        self.refused("begin with MZ", "--driver", self.file("text.sys", b"text"))
        self.refused("cut short", "--driver", self.file("short.sys", whole[:len(whole) // 2]))
        self.refused("No such file", "--driver", self.folder / "absent.sys")

    def test_a_driver_that_the_guest_cannot_bind(self):
        broken = self.image("driver.sys").read_bytes().replace(
            b"IoCreateDevice\0", b"IoCreateDevicX\0")
        ran = self.run_with("--driver", self.file("unbound.sys", broken))
        self.assert_status(2, ran)
        self.assertIn("could not be started", ran.text)
        self.assertIn("IoCreateDevicX", ran.text)

    def test_an_out_folder_that_cannot_be(self):
        ran = running.run(self.file("file", b""), "--exercise", "play")
        self.assert_status(2, ran)
        self.assertIn("--out", ran.text)

    def test_two_runs_into_one_folder(self):
        out = self.folder / "out"
        out.mkdir()
        (out / "results.json").write_text("of the other run")
        folder = os.open(out, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        ran = running.run(out, "--exercise", "play")
        self.assert_status(2, ran)
        self.assertIn("another run is writing", ran.text)
        self.assertEqual((out / "results.json").read_text(), "of the other run")

    def test_an_interrupt(self):
        out = self.folder / "out"
        child = subprocess.Popen([running.RUN, "--out", out, "--realtime", DEFAULT_WAV,
                                  "--exercise", "play"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True)
        while child.poll() is None and not (out / "console.log").exists():
            time.sleep(0.01)
        child.terminate()
        text, _ = child.communicate(timeout=30)
        self.assertEqual(child.returncode, 130, text)
        self.assertIn("interrupted", text)
        self.assertFalse((out / "play.pcm").exists())
        self.assert_status(0, running.run(out, "--exercise", "play"))

    def test_help_and_list_need_no_guest(self):
        ran = self.run_with("--help")
        self.assert_status(0, ran)
        for option in ("--exercise", "--fault", "--policy", "--list", "--realtime",
                       "--audiodev", "--out", "--driver", "--platform", "--machine", "--nodes",
                       "--empty-node", "--cpus", "--memory", "QEMU_SRC", "exit status"):
            self.assertIn(option, ran.text)
        ran = self.run_with("--list")
        self.assert_status(0, ran)
        self.assertEqual(os.listdir(ran.out), [])


class OverlayCommandTest(running.RunCase):
    """scripts/overlay as a person uses it."""

    def test_a_folder_that_is_no_tree(self):
        done = subprocess.run([CHECKOUT / "scripts/overlay", self.folder],
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no QEMU source tree", done.stderr)
