# SPDX-License-Identifier: MIT
"""A Windows of Wine's, in a folder of its own, that loads drivers."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("/usr/lib/wine/wine64", "/usr/lib/wine/wine")
SERVERS = ("/usr/lib/wine/wineserver64", "/usr/lib/wine/wineserver")
DRIVERS = Path("drive_c/windows/system32/drivers")
CHANNELS = "-all,err+all,+ntoskrnl,+plugplay,+module"
PATIENCE = 300
RUNNING = 4

STATE = re.compile(r"^\s+STATE\s+: (\d+)", re.MULTILINE)
EXIT_CODE = re.compile(r"^\s+WIN32_EXIT_CODE\s+: (\d+)", re.MULTILINE)
MAPPED = re.compile(r'mapping PE file L"[^"]*\\\\(\S+?\.sys)" at 0x([0-9a-f]+)-0x([0-9a-f]+)')
DONE = re.compile(r'init_driver init done for L"(\w+)"')
ROUTINE = re.compile(r"init_driver - (DriverUnload|MajorFunction\[27\]) = ([0-9A-F]+)")
ADDED = re.compile(r"^(\w+):.*AddDevice routine ([0-9A-F]+) returned ([0-9a-f]+)", re.MULTILINE)


class WineError(Exception):
    """Wine itself did not do what was asked of it."""


@dataclass(frozen=True)
class Told:
    """What Wine wrote down while it loaded a driver."""

    text: str

    def images(self):
        """Image -> the ranges that it was mapped at, by whichever process."""
        found = {}
        for name, start, end in MAPPED.findall(self.text):
            found.setdefault(name.lower(), []).append(range(int(start, 16), int(end, 16)))
        return found

    def routines(self, service):
        """What DriverEntry of a service has set: name -> address."""
        for part in DONE.split(self.text)[1:]:
            if part == service:
                after = self.text.partition(f'init done for L"{service}"')[2]
                return {name: int(address, 16) for name, address
                        in ROUTINE.findall(DONE.split(after)[0])}
        return {}

    def added(self, image):
        """What each call of an image's AddDevice routine returned.

        Processes have images at the same address: the thread tells them apart.
        """
        statuses = []
        for thread, address, status in ADDED.findall(self.text):
            own = [line for line in self.text.splitlines() if line.startswith(f"{thread}:")]
            places = Told("\n".join(own)).images().get(image, [])
            if any(int(address, 16) in place for place in places):
                statuses.append(int(status, 16))
        return statuses


class Windows:
    """A Windows, until close() ends its processes and removes it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pcmaster-wine-"))
        self.prefix = self.folder / "prefix"
        try:
            self.run("wineboot", "-i")
        except BaseException:
            self.close()
            raise

    def close(self):
        """No process and no file of it is left."""
        self.shut_down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def shut_down(self):
        """Ends its processes; the next run starts them anew."""
        for word in ("-k", "-w"):
            subprocess.run([_first(SERVERS), word], env=self._environment("-all"),
                           stderr=subprocess.DEVNULL, timeout=PATIENCE)

    def run(self, *words, channels="-all"):
        """Runs a program to its end: (exit status, output, what Wine told).

        Services inherit what it writes to, so these are files: a pipe would
        stay open.
        """
        with open(self.folder / "out", "w+b") as out, \
                open(self.folder / "told", "w+b") as told:
            done = subprocess.run([_first(PROGRAMS), *map(str, words)], stdout=out,
                                  stderr=told, stdin=subprocess.DEVNULL, cwd=self.folder,
                                  env=self._environment(channels), timeout=PATIENCE)
        return done.returncode, _read(self.folder / "out"), self.folder / "told"

    def place(self, *images):
        """Copies images to where drivers are."""
        for path in images:
            shutil.copy(path, self.prefix / DRIVERS)

    def create(self, service, image):
        """Makes a service of a driver's image that was placed."""
        status, text, _ = self.run("sc", "create", service, "type=", "kernel", "start=",
                                   "demand", "binPath=",
                                   rf"C:\windows\system32\drivers\{image}")
        if status:
            raise WineError(f"sc create {service}: {text}")

    def load(self, service):
        """Starts the service: (its state, its exit code, what Wine told)."""
        return self._and_query(service, "sc", "start", service)[1:]

    def install(self, program, file, hardware_id, service):
        """The same by an .inf, for a device with that ID; the program's output first."""
        return self._and_query(service, program, file, hardware_id, rf"ROOT\TEST\{service}")

    def _and_query(self, service, *words):
        """Runs the words with all of Wine started anew, to be told everything."""
        self.shut_down()
        _, output, told = self.run(*words, channels=CHANNELS)
        # A query overwrites the file, but services go on writing to the old one.
        kept = told.rename(told.with_name(f"told-{service}"))
        state, code = self.state(service)
        self.shut_down()
        return output, state, code, Told(_read(kept))

    def state(self, service):
        """A service's state and exit code; None where there is no such service."""
        text = self.run("sc", "query", service)[1]
        found = STATE.search(text), EXIT_CODE.search(text)
        return tuple(int(match[1]) if match else None for match in found)

    def _environment(self, channels):
        return {**os.environ, "WINEPREFIX": str(self.prefix), "WINEDEBUG": channels,
                "DISPLAY": "", "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe="}


def _first(paths):
    """The program that there is."""
    found = next((path for path in paths if os.access(path, os.X_OK)), None)
    if not found:
        raise WineError(f"none of {', '.join(paths)}: scripts/test --suite windows installs Wine")
    return found


def _read(path):
    return path.read_text(encoding="utf-8", errors="replace").replace("\r", "")
