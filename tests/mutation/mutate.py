# SPDX-License-Identifier: MIT
"""Breaks the device on purpose, one change at a time, and runs the qtests.

A change that some qtest notices is killed; one that none notices survives and
is named at the end. The changes are made in a copy of QEMU's source in the
cache; neither the checkout nor what scripts/run uses is touched. Results are
kept there too: the same command goes on where it stopped, and what did not
change since is not run again.
"""

import argparse
import contextlib
import fcntl
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import generated
import table
from pcmaster import CHECKOUT, overlay, packages, process, qemu
from pcmaster.cache import Cache, digest, remove, write_whole
from pcmaster.ui import (EXIT_FAILED, EXIT_HELD, Problem, Step, command)

KILLED, SURVIVED, UNBUILT = "killed", "survived", "does not compile"
DEVICE = CHECKOUT / overlay.DEVICE
# A change that makes a test hang is one that was noticed.
PATIENCE, PATIENCE_FACTOR = 30, 4
QTEST_ROOT = "/x86_64/pcmaster"
ASSERTION = re.compile(r"^Bail out! ERROR:(?:.*/)?([^/:]+:\d+:\w+):", re.M)


@dataclass(frozen=True)
class Mutant:
    """One change of one file of the device."""

    name: str
    file: str
    text: str       # the file's whole text with the change
    breaks: str
    by_hand: bool

    @property
    def key(self):
        """Tells this change from every other, also after the file moved on."""
        return digest(self.file, self.text)


def by_hand(changes=table.CHANGES, device=DEVICE):
    """The mutants of the table; Problem names each line that does not apply."""
    found, wrong = [], []
    for number, (file, old, new, breaks) in enumerate(changes, 1):
        path = device / file
        text = path.read_text() if path.is_file() else ""
        if text.count(old) != 1 or old == new:
            wrong.append(f"  {number} ({file}, «{breaks}»): its text is there "
                         f"{text.count(old)} times")
            continue
        found.append(Mutant(f"{number}", file, text.replace(old, new), breaks, True))
    if wrong:
        raise Problem("changes that do not apply (tests/mutation/table.py):\n"
                      + "\n".join(wrong))
    return found


def by_rule(count, seed, device=DEVICE):
    """A sample of the changes that the operators make to the device's files."""
    every = []
    for path in sorted(device.glob("*.c")):
        text = path.read_text()
        for site in generated.sites(text):
            line = text.count("\n", 0, site.start + 1) + 1
            column = site.start - text.rfind("\n", 0, site.start)
            every.append(Mutant(f"{path.name}:{line}:{column} {site.operator}",
                                path.name, site.applied(text), site.operator, False))
    return random.Random(seed).sample(every, min(count, len(every)))


def parse(argv=None):
    """The options."""
    parser = argparse.ArgumentParser(
        prog="mutate", description="Breaks the device on purpose, one change at a "
        "time, and runs the qtests until one fails. Exit status 0: every change "
        "of the table was noticed.")
    parser.add_argument("--list", action="store_true", help="list the changes")
    parser.add_argument("--check", action="store_true",
                        help="see whether each change of the table applies")
    parser.add_argument("--only", metavar="PATTERN", action="append", default=[],
                        help="only changes whose number, file or text match")
    parser.add_argument("--generated", metavar="N", type=int, default=0,
                        help="N changes made by rule, in place of the table")
    parser.add_argument("--seed", type=int, default=1, help="which of them (1)")
    parser.add_argument("--again", action="store_true",
                        help="forget the results of earlier runs")
    parser.add_argument("--tap", action="store_true", help="print TAP")
    return parser.parse_args(argv)


def chosen(options):
    """The mutants that the options ask for."""
    mutants = (by_rule(options.generated, options.seed) if options.generated
               else by_hand())
    if not options.only:
        return mutants
    return [m for m in mutants if any(
        fnmatch(text, pattern) for pattern in options.only
        for text in (m.name, m.file, m.breaks))]


def main(argv=None):
    """The command line; returns the exit status."""
    options = parse(argv)
    mutants = chosen(options)
    if not mutants:
        raise Problem("no change matches.")
    if options.check or options.list:
        for mutant in mutants if options.list else ():
            print(f"{mutant.name:>3}  {mutant.file:18} {mutant.breaks}")
        print(f"{len(mutants)} changes apply")
        return EXIT_HELD
    cache = Cache()
    with contextlib.ExitStack() as stack:
        with cache.lock():
            packages.ensure(cache)
            room = Room(cache)
            stack.enter_context(room.owned())
            room.prepare()
        if options.again:
            remove(room.results)
        return judge(mutants, run_all(room, mutants, options.tap), options.tap)


def run_all(room, mutants, tap):
    """Runs each mutant that has no result yet; returns key -> (verdict, by)."""
    results = room.load_results()
    if any(results.get(m.key) is None for m in mutants):
        room.rest()
    if tap:
        print(f"TAP version 13\n1..{len(mutants)}", flush=True)
    with contextlib.nullcontext() if tap else Step("changes") as step:
        for number, mutant in enumerate(mutants, 1):
            if mutant.key not in results:
                results[mutant.key] = room.run(mutant)
                room.save_results(results)
            verdict, by = results[mutant.key]
            if tap:
                print_point(number, mutant, verdict, by)
            else:
                step.tick((number, len(mutants)))
                print(f"{verdict:16} {mutant.name:>3}  {mutant.file:18} "
                      f"{mutant.breaks}{f' ({by})' if by else ''}", flush=True)
    return results


def print_point(number, mutant, verdict, by):
    """One result as TAP."""
    word = "ok" if verdict == KILLED or not mutant.by_hand else "not ok"
    print(f"{word} {number} - {mutant.file}: {mutant.breaks}: {verdict} {by}",
          flush=True)


def judge(mutants, results, tap=False):
    """Prints the sum and the survivors; returns the exit status."""
    verdicts = {m: results[m.key][0] for m in mutants}
    out = sys.stderr if tap else sys.stdout
    count = {v: list(verdicts.values()).count(v) for v in (KILLED, SURVIVED, UNBUILT)}
    for mutant, verdict in verdicts.items():
        if verdict == SURVIVED:
            print(f"survivor: {mutant.name}  {mutant.file}: {mutant.breaks}", file=out)
    print(", ".join(f"{number} {name}" for name, number in count.items()), file=out)
    bad = [m for m, v in verdicts.items() if m.by_hand and v != KILLED]
    return EXIT_FAILED if bad else EXIT_HELD


class Room:
    """The copy of QEMU's source in the cache in which the device is changed."""

    def __init__(self, cache):
        self.cache = cache
        self.tree = qemu.find_tree(cache)
        self.home = self.tree.home / "mutation"
        self.source = self.home / "source"
        self.results = self.home / "results.json"
        self.build = None
        self.seconds = 0

    @contextlib.contextmanager
    def owned(self):
        """Keeps another run from changing the same copy."""
        self.home.mkdir(exist_ok=True)
        with open(self.home / "lock", "ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Problem("changes are being tried already.") from error
            yield

    def prepare(self):
        """Makes the copy and builds QEMU and the qtests in it, if need be."""
        if self.tree.origin:
            qemu.mirror(self.cache, self.tree.origin, self.source)
        elif not self.source.is_dir():
            self.copy()
        overlay.apply(self.source, self.tree.origin)
        self.build = qemu.configured(self.cache, self.source, qemu.MUTABLE)
        qemu.compile_in(self.cache, self.build, qemu.MUTABLE.about, qemu.SYSTEM,
                        *(f"tests/qtest/{name}" for name in self.programs()))

    def copy(self):
        """Copies Debian's source by hard links.

        Whatever writes there puts a new file in the old one's place.
        """
        with self.cache.scratch() as work:
            process.run_logged(["cp", "-al", self.tree.home / "source",
                                work / "source"], self.cache.log("mutation"), _quiet())
            (work / "source").rename(self.source)

    def programs(self):
        """The qtest programs that the overlay adds."""
        return qemu.qtest_names(self.source)

    def rest(self):
        """The qtests hold on the unchanged device, or no result means a thing."""
        with Step("qtests on the unchanged device"):
            began = time.monotonic()
            failed = self.qtests(None)
            self.seconds = time.monotonic() - began
        if failed:
            raise Problem(f"the unchanged device fails: {failed}")

    def run(self, mutant):
        """Builds one mutant and runs the qtests; returns (verdict, what said so)."""
        path = self.source / overlay.DEVICE / mutant.file
        try:
            write_whole(path, mutant.text.encode())
            if not self.compiles():
                return UNBUILT, ""
            failed = self.first_tests(mutant) or self.qtests(
                PATIENCE + PATIENCE_FACTOR * self.seconds)
            return (KILLED, failed) if failed else (SURVIVED, "")
        finally:
            write_whole(path, (DEVICE / mutant.file).read_bytes())

    def compiles(self):
        """Whether the copy builds as it stands."""
        env = process.build_environment()
        done = subprocess.run(["ninja", qemu.SYSTEM], cwd=self.build, env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return done.returncode == 0

    def first_tests(self, mutant):
        """The same as qtests() for the groups that most likely notice."""
        groups = table.FIRST.get(mutant.file)
        return groups and self.qtests(PATIENCE + self.seconds, groups.split())

    def qtests(self, patience, groups=()):
        """The name of the first test that fails, or None.

        groups: names below /pcmaster/; all tests if there are none.
        """
        env = dict(os.environ, QTEST_QEMU_BINARY=str(self.build / qemu.SYSTEM))
        for name in self.programs():
            program = self.build / overlay.QTESTS / name
            words = selection(process.output([program, "-l"], env=env) or "", groups)
            failed = (words or not groups) and first_failure(
                [program, "--tap", *words], env, patience)
            if failed:
                return failed
        return None

    def load_results(self):
        """What earlier runs found, if neither device nor qtests changed since."""
        try:
            kept = json.loads(self.results.read_text())
        except (OSError, ValueError):
            return {}
        return kept["results"] if kept["overlay"] == self._overlay() else {}

    def save_results(self, results):
        """Keeps what was found."""
        write_whole(self.results, json.dumps(
            {"overlay": self._overlay(), "results": results}).encode())

    def _overlay(self):
        return digest(self.tree.identity, *qemu.overlay_contents())


def selection(listing, groups):
    """The options for a qtest to run groups; -p alone leaves out their groups.

    listing: the paths of its tests, as it prints them
    """
    wanted = tuple(f"{QTEST_ROOT}/{group}/" for group in groups)
    return [word for path in listing.split() if f"{path}/".startswith(wanted)
            for word in ("-p", path)]


def first_failure(argv, env, patience):
    """Runs a qtest up to its first failure: what failed, or None.

    It has a process group of its own, so that no QEMU outlives it.
    """
    child = subprocess.Popen(argv, env=env, text=True,
                             start_new_session=True, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        said, _ = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        return "it hung"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.returncode == 0:
        return None
    assertion = ASSERTION.search(said)
    if assertion:
        return assertion[1]
    passed = [line.split()[-1] for line in said.splitlines() if line.startswith("ok ")]
    return f"after {passed[-1]}" if passed else f"status {child.returncode}"


def _quiet():
    """A step without a line of its own."""
    return Step("copy of QEMU's source", open(os.devnull, "w"))


if __name__ == "__main__":
    command(main)
