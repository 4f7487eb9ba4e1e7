# SPDX-License-Identifier: MIT
"""A shell in the Linux guest: QEMU has the person's terminal until the shell ends."""

import contextlib
import shutil
import subprocess
import sys
import termios

from pcmaster import boot
from pcmaster.ui import EXIT_HELD, Problem

CONSOLE = "stdio,id=console,signal=off"


def job(plays):
    """What the guest runs; plays: a WAV is there."""
    size = shutil.get_terminal_size()
    play = " Try: aplay -D hw:0 /play.wav." if plays else ""
    return f"""\
export HOME=/root
cd
echo 'The card is hw:0; aplay, arecord, amixer and busybox are here.{play} exit ends the guest,
Ctrl-A X kills QEMU.'
setsid cttyhack sh -c 'stty rows {size.lines} cols {size.columns}; exec sh'
pcmaster-host exit 16
"""


def run(words):
    """Runs QEMU with these words; returns the exit status when the shell has ended."""
    words = [word.replace(CONSOLE, f"{CONSOLE},mux=on") for word in words]
    with _same_terminal():
        status = subprocess.run(words, check=False).returncode
    if status == boot.HELD:
        return EXIT_HELD
    raise Problem("the guest ended before its shell did: "
                  + boot.Boot(status, [], 0, False, 0, "").ended)


@contextlib.contextmanager
def _same_terminal():
    """QEMU makes the terminal raw, and cannot undo that if it is killed."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
