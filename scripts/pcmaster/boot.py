# SPDX-License-Identifier: MIT
"""Runs QEMU, keeps what the guest says, and notices when it falls silent."""

import selectors
import subprocess
import sys
import time
from dataclasses import dataclass

from pcmaster import machine
from pcmaster.ui import printable

SILENCE_SECONDS = 60
TAIL_LINES = 12
REFUSED = 1     # by QEMU, before the guest runs
HELD, FAILED, COULD_NOT_START, BUG_CHECK = 33, 35, 37, 39
MEANINGS = {
    HELD: "everything held",
    FAILED: "an exercise failed",
    COULD_NOT_START: "the guest could not start",
    BUG_CHECK: "the guest stopped with a bug check",
}


@dataclass(frozen=True)
class Boot:
    """How a boot ended."""

    status: int         # QEMU's exit status; negative: a signal
    lines: list         # the console
    patience: float     # seconds of silence after which it would be ended
    silent: bool        # it was
    seconds: float
    errors: str         # what QEMU itself complained about
    times: tuple = ()   # when each line of the console had come, in seconds

    def seconds_between(self, first, last):
        """Seconds of wall time from one line, by its index, to another."""
        return self.times[last] - self.times[first]

    @property
    def ended(self):
        """How it ended, in words."""
        if self.silent:
            return f"the guest said nothing for {self.patience:.0f} s"
        if self.status < 0:
            return f"QEMU died of signal {-self.status}"
        return MEANINGS.get(self.status, f"QEMU ended with status {self.status}")

    def tail(self):
        """The last lines of the console and of QEMU's errors, indented."""
        lines = self.lines[-TAIL_LINES:] + self.errors.splitlines()[-TAIL_LINES:]
        return "\n".join("    " + printable(line) for line in lines)


def run(programs, plan, words=None):
    """Boots a plan and waits for its end; out/ gets console.log and qemu.log.

    words: QEMU's command line, if it is not the one for the executive.
    """
    began = time.monotonic()
    # While it plays, the guest has nothing to say.
    patience = SILENCE_SECONDS + (plan.wav.seconds if plan.wav else 0)
    with open(plan.out / "qemu.log", "w+b") as errors, \
            open(plan.out / "console.log", "wb") as console:
        child = subprocess.Popen(words or machine.command(programs, plan), stderr=errors,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            silent, times = _listen(child.stdout, console, patience, plan.verbose)
            if silent:
                child.kill()
            status = child.wait()
        except BaseException:
            child.kill()
            child.wait()
            raise
        errors.seek(0)
        complaints = errors.read().decode(errors="replace")
    text = (plan.out / "console.log").read_text(encoding="utf-8", errors="replace")
    lines = text.replace("\r", "").removesuffix("\n").split("\n") if text else []
    return Boot(status, lines, patience, silent, time.monotonic() - began, complaints,
                tuple(moment - began for moment in times))


def _listen(pipe, console, patience, verbose):
    """Keeps what the guest says until its end, or until it falls silent.

    Returns whether it did, and when each line was complete.
    """
    times = []
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(timeout=patience):
            data = pipe.read1(65536)
            if not data:
                return False, times
            times += [time.monotonic()] * data.count(b"\n")
            console.write(data)
            console.flush()
            if verbose:
                sys.stderr.write(printable(data.decode(errors="replace")))
                sys.stderr.flush()
    return True, times
