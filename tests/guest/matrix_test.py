# SPDX-License-Identifier: MIT
"""The whole table of exercises on machines of every shape, and on older Windows."""

import itertools
import os
import re
import shutil
import tempfile
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import running
from pcmaster.shape import BOARDS

NODES = (1, 2, 4)
CPUS = (1, 4)
MEMORY = ("256M", "3G", "12G")
MORE = (
    ("--iommu", "--nodes", 3, "--empty-node"),
    ("--iommu", "--platform", "win7"),
    ("--iommu", "--platform", "win8", "--nodes", 1, "--memory", "256M"),
    ("--nodes", 3, "--empty-node"),
    ("--nodes", 1, "--empty-node", "--memory", "256M"),
    ("--nodes", 2, "--empty-node", "--machine", "pc"),
    ("--nodes", 8, "--cpus", 8),
    *(("--platform", platform, *words) for platform in ("win7", "win8")
      for words in ((), ("--machine", "pc", "--nodes", 1, "--cpus", 1, "--memory", "256M"))),
)
# All that a machine may lack; any other reason to skip an exercise is a mistake.
LACKING = re.compile("|".join((
    r"the machine has (\d nodes?|no second node|no such memory)",
    r"node \d has no memory",
    r"no node is known to hold less than 4 GiB",
    r"no node begins at 0x100000000 or above",
    r"the device is on no node",
    r"32 MiB do not fit",
    r"Windows [78] has no (version 3 of the DMA interface|requests that wait|"
    r"description of \d\d address bits( with scatter/gather)?|"
    r"[A-Z]\w+( at once)?)")))


def shapes():
    """The options of every machine."""
    for board, nodes, cpus, memory in itertools.product(BOARDS, NODES, CPUS, MEMORY):
        yield ("--machine", board, "--nodes", nodes, "--cpus", cpus, "--memory", memory)
        if board == "q35":
            yield ("--iommu", "--nodes", nodes, "--cpus", cpus, "--memory", memory)
    yield from MORE


class Machine(running.RunCase):
    """One machine."""

    def __init__(self, words, future, outcomes):
        super().__init__("held")
        self.words, self.future, self.outcomes = words, future, outcomes

    def shortDescription(self):
        return " ".join(map(str, self.words))

    def held(self):
        """Nothing failed, and what was skipped could not be run there."""
        ran = self.future.result()
        self.assert_status(0, ran)
        for exercise in ran.results()["exercises"]:
            if exercise["result"] == "skipped":
                reason = exercise["verdict"].removeprefix("skipped: ")
                self.assertTrue(LACKING.fullmatch(reason), f"{exercise['name']}: {reason}")
            self.outcomes[exercise["name"]][exercise["result"]] += 1


class Table(unittest.TestCase):
    """All machines together."""

    def __init__(self, outcomes):
        super().__init__("complete")
        self.outcomes = outcomes

    def shortDescription(self):
        return "every exercise held on some machine"

    def complete(self):
        """No exercise is skipped everywhere."""
        self.assertTrue(self.outcomes)
        self.assertEqual([name for name, outcome in self.outcomes.items()
                          if not outcome["ok"]], [])


class Outcomes(dict):
    """How often each exercise came out how."""

    def __missing__(self, name):
        return self.setdefault(name, Counter())


def load_tests(loader, tests, pattern):
    """A case for each machine; as many run at once as there are processors."""
    folder = tempfile.mkdtemp(prefix="pcmaster-")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    pool = ThreadPoolExecutor(os.cpu_count())
    unittest.addModuleCleanup(pool.shutdown, cancel_futures=True)
    outcomes = Outcomes()
    suite = unittest.TestSuite()
    for number, words in enumerate(shapes()):
        future = pool.submit(running.run, f"{folder}/{number}", *words)
        suite.addTest(Machine(words, future, outcomes))
    suite.addTest(Table(outcomes))
    return suite
