# SPDX-License-Identifier: MIT
"""How a command ends, and what its steps print."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from pcmaster import process, ui


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def ending(main):
    """The exit status and the message of a command with that main function."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            ui.command(main)
        except SystemExit as end:
            return end.code, said.getvalue()
    return None, said.getvalue()


def raising(error):
    """A main function that raises."""
    def main():
        raise error
    return main


class CommandTest(unittest.TestCase):
    """Exit statuses."""

    def setUp(self):
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))

    def test_statuses(self):
        self.assertEqual(ending(lambda: 0), (0, ""))
        self.assertEqual(ending(lambda: 1), (1, ""))
        self.assertEqual(ending(raising(ui.Problem("do this")))[0], 2)
        self.assertEqual(ending(raising(OSError(28, "No space left", "/x")))[0], 2)
        self.assertEqual(ending(raising(KeyboardInterrupt()))[0], 130)

    def test_a_problem_is_a_message_without_a_trace(self):
        self.assertEqual(ending(raising(ui.Problem("do this")))[1],
                         "pcmaster: do this\n")


class StepTest(unittest.TestCase):
    """Steps, on a terminal and elsewhere."""

    def test_one_line_when_quick(self):
        stream = io.StringIO()
        with ui.Step("part", stream) as step:
            step.tick((1, 4))
        self.assertEqual(stream.getvalue(), "part … done (0 s)\n")

    def test_a_line_every_ten_seconds(self):
        stream = io.StringIO()
        with mock.patch("time.monotonic") as now:
            now.return_value = 0
            with ui.Step("part", stream) as step:
                for now.return_value in (4, 11, 12, 22):
                    step.tick((now.return_value, 44))
        self.assertEqual(stream.getvalue(),
                         "part … 25 %\npart … 50 %\npart … done (22 s)\n")

    def test_a_terminal_shows_each_figure_once(self):
        stream = Terminal()
        with ui.Step("part", stream) as step:
            for done in (1, 1, 2):
                step.tick((done, 4))
        self.assertEqual(stream.getvalue().count("25 %"), 1)
        self.assertEqual(stream.getvalue().count("50 %"), 1)

    def test_a_step_that_fails_says_so(self):
        stream = io.StringIO()
        with contextlib.suppress(ui.Problem), ui.Step("part", stream):
            raise ui.Problem("x")
        self.assertEqual(stream.getvalue(), "part … stopped (0 s)\n")


class ProcessTest(unittest.TestCase):
    """Logged child processes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "log"
        self.step = ui.Step("part", io.StringIO())

    def run_logged(self, script, **options):
        """Runs a shell script."""
        process.run_logged(["sh", "-c", script], self.log, self.step, **options)

    def test_what_it_prints_is_kept(self):
        self.run_logged("echo out; echo err >&2")
        self.assertEqual(self.log.read_text().splitlines()[1:], ["out", "err"])

    def test_ninja_s_figures_are_shown(self):
        self.run_logged("echo '[3/12] CC a.o'; echo more")
        self.assertEqual(self.step.figures, (3, 12))

    def test_a_failure_shows_the_end_of_the_log(self):
        with self.assertRaises(process.Failed) as caught:
            self.run_logged("seq 100; exit 3")
        message = str(caught.exception)
        self.assertIn("status 3", message)
        self.assertIn("    81\n", message)
        self.assertNotIn("    80\n", message)
        self.assertIn(str(self.log), message)

    def test_an_interrupt_ends_the_child(self):
        program = ("import sys; from pcmaster import process, ui\n"
                   "ui.command(lambda: process.run_logged(['sleep', '600'], "
                   f"{str(self.log)!r}, ui.Step('part')))")
        child = subprocess.Popen([sys.executable, "-c", program], env=dict(os.environ),
                                 stderr=subprocess.DEVNULL)
        while not self.log.exists() or not self.log.read_text():
            time.sleep(0.01)
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(timeout=10), 130)
