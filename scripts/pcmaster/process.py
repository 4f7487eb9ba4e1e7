# SPDX-License-Identifier: MIT
"""Child processes: logged, watched, and ended when the person interrupts."""

import os
import re
import selectors
import shlex
import signal
import subprocess

from pcmaster.ui import Problem

TAIL_LINES = 20
NINJA_PROGRESS = re.compile(rb"^\[(\d+)/(\d+)\] ")


class Failed(Problem):
    """A command that the set-up needs ended with an error."""


def build_environment(modules=None):
    """An environment for builds: Debian's own tools come first.

    modules: a folder for PYTHONPATH, in place of what is there.
    """
    env = dict(os.environ, PATH=f"/usr/bin:/bin:{os.environ.get('PATH', '')}",
               NINJA_STATUS="[%f/%t] ", LC_ALL="C.UTF-8")
    env.pop("PYTHONPATH", None)
    if modules:
        env["PYTHONPATH"] = str(modules)
    return env


def run_logged(argv, log, step, *, cwd=None, env=None, shielded=False):
    """Runs argv with all it prints in the file log; Failed if it fails.

    shielded keeps the interrupt key from it: a package manager that is cut
    short leaves a system that only a person can repair.
    """
    argv = [str(word) for word in argv]
    shield = (lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if shielded else None
    with open(log, "ab") as out:
        out.write(f"$ {shlex.join(argv)}\n".encode())
        out.flush()
        child = subprocess.Popen(argv, cwd=cwd, env=env, preexec_fn=shield,
                                 stdin=None if shielded else subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            _copy(child.stdout, out, step)
            status = child.wait()
        except BaseException:
            if shielded:
                _copy(child.stdout, out, step)
            else:
                child.terminate()
            child.wait()
            raise
    if status != 0:
        raise Failed(failure(argv, status, log))


def failure(argv, status, log):
    """The message for a failed command: what, how, and the end of its log."""
    with open(log, "rb") as file:
        lines = file.read().decode(errors="replace").splitlines()
    tail = "\n".join("    " + line for line in lines[-TAIL_LINES:])
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return f"'{argv[0]}' failed with {how}.\n{tail}\n  The whole log: {log}"


def _copy(pipe, out, step):
    """Copies what a child prints to its log and shows ninja's figures."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(timeout=1.0):
                step.tick()
                continue
            data = pipe.read1(65536)
            if not data:
                return
            out.write(data)
            out.flush()
            *lines, rest = (rest + data).split(b"\n")
            step.tick(_figures(lines))


def _figures(lines):
    """The last [done/total] that ninja printed among these lines, or None."""
    for line in reversed(lines):
        match = NINJA_PROGRESS.match(line)
        if match:
            return tuple(int(figure) for figure in match.groups())
    return None


def output(argv, **options):
    """What a command prints, without the last newline; None if it fails."""
    try:
        done = subprocess.run([str(word) for word in argv], check=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, **options)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.rstrip("\n")


def filtered(argv, data, about):
    """What a command makes of data; Failed if it fails. about: whose data it is."""
    done = subprocess.run([str(word) for word in argv], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Failed(f"'{argv[0]}' failed for {about}: "
                     f"{done.stderr.decode(errors='replace').strip()}")
    return done.stdout
