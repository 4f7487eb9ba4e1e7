# SPDX-License-Identifier: MIT
"""scripts/run --guest linux --shell, as a person at a terminal has it."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "guest"))

import running

PATIENCE = 120
CTRL_C = "\x03"
PROMPT = "# "


class ShellTest(running.RunCase):
    """The person's keys reach the guest, and the terminal is as it was."""

    def start(self, *words):
        """scripts/run with a terminal of its own."""
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.before = termios.tcgetattr(self.slave)
        self.said = ""
        self.child = subprocess.Popen(
            [running.RUN, "--guest", "linux", "--shell", "--out", self.folder / "out", *words],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.addCleanup(self.stop)

    def stop(self):
        """Ends what a failed test left."""
        if self.child.poll() is None:
            self.child.terminate()
            self.child.wait()

    def hear(self, seconds):
        """Takes what is on the screen by then; whether anything was."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.said += os.read(self.master, 65536).decode(errors="replace")
        return True

    def expect(self, text):
        """Waits until this is on the screen, and takes all up to it."""
        end = time.monotonic() + PATIENCE
        while text not in self.said:
            self.assertTrue(self.hear(max(0, end - time.monotonic())),
                            f"no {text!r}:\n{self.said}")
        before, _, self.said = self.said.partition(text)
        return before

    def type(self, text):
        """Presses keys."""
        os.write(self.master, text.encode())

    def qemu(self):
        """The process id of QEMU."""
        return int(Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
                   .read_text().split()[0])

    def assert_ended(self, status):
        """It has ended so, and the terminal is as before."""
        end = time.monotonic() + PATIENCE
        while self.child.poll() is None and time.monotonic() < end:
            self.hear(0.1)
        while self.hear(0):
            pass
        self.assertEqual(self.child.poll(), status, self.said)
        self.assertEqual(termios.tcgetattr(self.slave), self.before)
        self.assertFalse((self.folder / "out/initramfs").exists())

    def test_keys(self):
        self.start()
        self.expect(PROMPT)
        self.type("aplay -l\n")
        self.expect("card 0: pcmaster")
        self.expect(PROMPT)
        self.type("aplay -D hw:0 -f S16_LE -c 2 -r 48000 /dev/zero\n")
        self.expect("Playing raw data")
        self.type(CTRL_C)
        self.expect("Aborted by signal Interrupt")
        self.expect(PROMPT)
        self.type("aplay -q -D hw:0 /play.wav; echo status $?\n")
        self.expect("status 0")
        self.assertIsNone(self.child.poll())
        self.type("exit\n")
        self.assert_ended(0)

    def test_qemu_does_not_start(self):
        self.start("--device", "no-such-device")
        self.assert_ended(2)
        self.assertIn("no-such-device", self.said)
        self.assertIn("pcmaster: ", self.said)

    def test_qemu_dies(self):
        self.start()
        self.expect(PROMPT)
        os.kill(self.qemu(), signal.SIGKILL)
        self.assert_ended(2)
        self.assertIn("signal 9", self.said)

    def test_guest_dies(self):
        self.start()
        self.expect(PROMPT)
        self.type("echo c > /proc/sysrq-trigger\n")
        self.assert_ended(2)
        self.assertIn("ended before its shell", self.said)

    def test_interrupted(self):
        self.start()
        self.expect(PROMPT)
        self.child.terminate()
        self.assert_ended(130)
