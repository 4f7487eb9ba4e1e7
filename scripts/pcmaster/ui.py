# SPDX-License-Identifier: MIT
"""What a person sees while something is under way, and what ends a command."""

import io
import os
import re
import signal
import sys
import time

EXIT_HELD, EXIT_FAILED, EXIT_UNUSABLE, EXIT_INTERRUPTED = 0, 1, 2, 130
LINE_EVERY = 10.0


class Problem(Exception):
    """Something the person can put right; the message says how. Status 2."""


class Step:
    """One line 'name … done (12 s)', with what happens on the way to it.

    A terminal shows a moving figure; elsewhere a line follows every ten
    seconds, so that a log shows that something is alive.
    """

    def __init__(self, name, stream=None):
        self.name = name
        self.stream = stream or sys.stderr
        self.tty = self.stream.isatty()
        self.began = self.shown = time.monotonic()
        self.last = self.figures = None

    def __enter__(self):
        if self.tty:
            self._write(f"\r{self.name} … ")
        return self

    def __exit__(self, kind, value, trace):
        seconds = time.monotonic() - self.began
        end = "done" if kind is None else "stopped"
        start, finish = ("\r", "\033[K\n") if self.tty else ("", "\n")
        self._write(f"{start}{self.name} … {end} ({seconds:.0f} s){finish}")

    def tick(self, figures=None):
        """Shows that the step is alive; figures: parts done and parts in all."""
        now = time.monotonic()
        self.figures = figures or self.figures
        figure = f"{now - self.began:.0f} s"
        if self.figures:
            figure = f"{100 * self.figures[0] // self.figures[1]} %"
        if self.tty and figure != self.last:
            self._write(f"\r{self.name} … {figure}\033[K")
        elif not self.tty and now - self.shown >= LINE_EVERY:
            self._write(f"{self.name} … {figure}\n")
            self.shown = now
        self.last = figure

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()


class Colours:
    """Escape sequences for a terminal; empty strings anywhere else."""

    def __init__(self, stream):
        on = stream.isatty() and "NO_COLOR" not in os.environ
        self.good, self.bad, self.dim, self.end = (
            ("\033[32m", "\033[1;31m", "\033[2m", "\033[0m") if on else ("",) * 4)


def printable(text):
    """The text without the control characters that could upset a terminal."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "?", text)


def command(main):
    """Runs a command's main function and turns what it raises into a status."""
    signal.signal(signal.SIGTERM, _interrupted)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        status = main()
        sys.stdout.flush()
    except Problem as problem:
        print(f"pcmaster: {problem}", file=sys.stderr)
        status = EXIT_UNUSABLE
    except KeyboardInterrupt:
        print("\npcmaster: interrupted; nothing is broken, the same command "
              "goes on where it stopped", file=sys.stderr)
        status = EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = EXIT_FAILED
    except OSError as error:
        print(f"pcmaster: {error}", file=sys.stderr)
        status = EXIT_UNUSABLE
    sys.exit(status)


def _interrupted(signum, frame):
    raise KeyboardInterrupt
