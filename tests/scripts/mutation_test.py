# SPDX-License-Identifier: MIT
"""The changes that break the device: what applies, what is judged, and how."""

import contextlib
import io
import os
import re
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from pcmaster import CHECKOUT
from pcmaster.ui import EXIT_FAILED, EXIT_HELD, Problem

sys.path.insert(0, str(CHECKOUT / "tests/mutation"))
import generated
import mutate
import table


class TableTest(unittest.TestCase):
    """The lines of the table, on a device of one file."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.device = Path(folder.name)
        (self.device / "a.c").write_text("int a = 1;\nint b = 2;\nint c = 2;\n")

    def test_every_line_applies_to_the_device(self):
        self.assertGreaterEqual(len(mutate.by_hand()), 30)

    def test_a_line_changes_one_place(self):
        [mutant] = mutate.by_hand([("a.c", "a = 1", "a = 3", "a")], self.device)
        self.assertEqual(mutant.text, "int a = 3;\nint b = 2;\nint c = 2;\n")

    def test_a_line_that_does_not_apply_is_named(self):
        for change in (("a.c", "= 2", "= 4", "twice"), ("a.c", "d", "e", "never"),
                       ("b.c", "a", "b", "no file"), ("a.c", "a", "a", "the same")):
            with self.assertRaisesRegex(Problem, f"1 .*«{change[3]}»"):
                mutate.by_hand([change], self.device)

    def test_the_table_is_changes_only(self):
        self.assertEqual({len(change) for change in table.CHANGES}, {4})

    def test_what_runs_first_is_there(self):
        tests = "".join(path.read_text() for path in
                        (CHECKOUT / mutate.overlay.QTESTS).glob("pcmaster-*.c"))
        for file, groups in table.FIRST.items():
            self.assertTrue((mutate.DEVICE / file).is_file(), file)
            for group in groups.split():
                self.assertTrue(re.search(f'"(/pcmaster/)?{group}["/]', tests), group)


class GeneratedTest(unittest.TestCase):
    """The operators on pieces of C."""

    def results(self, text):
        """Every text that one change makes of this one."""
        return [site.applied(text) for site in generated.sites(text)]

    def test_operators(self):
        for before, after in (
                ("a < b", ["a <= b"]), ("a >= b", ["a > b"]), ("a == b", ["a != b"]),
                ("a && b", ["a || b"]), ("a || b", ["a && b"]), ("a + 1", ["a"]),
                ("a - 1;", ["a;"]), ("a + b", ["a - b"]), ("a |= b", ["a = b"]),
                ("f(true)", ["f(false)"]), ("if (!a)", ["if (a)"]),
                ("{\n    f(a);\n}", ["{\n}"]), ("a += b", ["a = b"])):
            self.assertEqual(self.results(before), after)

    def test_what_is_left_alone(self):
        for text in ("/* a < b */", '"a && b"', "#define A (b < c)\n", "a->b", "a << b",
                     "#if A && \\\n    B < C\n", "// true", "? -1 : 0;"):
            self.assertEqual(self.results(text), [])

    def test_a_seed_gives_the_same_sample(self):
        first = mutate.by_rule(20, 7)
        self.assertEqual(len({m.key for m in first}), 20)
        self.assertEqual(first, mutate.by_rule(20, 7))
        self.assertNotEqual(first, mutate.by_rule(20, 8))


class JudgeTest(unittest.TestCase):
    """The sum at the end."""

    def judged(self, *verdicts, by_hand=True):
        """Exit status and text for mutants with these verdicts."""
        mutants = [mutate.Mutant(str(n), "a.c", str(n), f"what {n}", by_hand)
                   for n in range(len(verdicts))]
        results = {m.key: (v, "") for m, v in zip(mutants, verdicts)}
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = mutate.judge(mutants, results)
        return status, said.getvalue()

    def test_all_killed(self):
        status, said = self.judged(mutate.KILLED, mutate.KILLED)
        self.assertEqual((status, said), (EXIT_HELD, "2 killed, 0 survived, "
                                                     "0 does not compile\n"))

    def test_a_survivor_is_named(self):
        status, said = self.judged(mutate.KILLED, mutate.SURVIVED)
        self.assertEqual(status, EXIT_FAILED)
        self.assertIn("survivor: 1  a.c: what 1", said)

    def test_a_line_of_the_table_must_compile(self):
        self.assertEqual(self.judged(mutate.UNBUILT)[0], EXIT_FAILED)

    def test_generated_survivors_are_named_and_no_failure(self):
        status, said = self.judged(mutate.SURVIVED, by_hand=False)
        self.assertEqual(status, EXIT_HELD)
        self.assertIn("survivor: 0", said)


class QtestTest(unittest.TestCase):
    """How the end of a qtest is read."""

    def first_failure(self, script, patience=5):
        """What first_failure() says of a program of these lines."""
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "qtest")
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
            return mutate.first_failure([program], dict(os.environ), patience)

    def test_groups_are_chosen_with_what_is_below_them(self):
        listing = "# seed\n" + "\n".join(
            f"/x86_64/pcmaster/{name}" for name in ("rule/a", "rule/a/b", "rules", "log"))
        self.assertEqual(mutate.selection(listing, ["rule", "log"]), [
            "-p", "/x86_64/pcmaster/rule/a", "-p", "/x86_64/pcmaster/rule/a/b",
            "-p", "/x86_64/pcmaster/log"])
        self.assertEqual(mutate.selection(listing, []), [])

    def test_ends(self):
        self.assertIsNone(self.first_failure("echo ok 1 /a; exit 0"))
        self.assertEqual(self.first_failure("echo ok 1 /a; exit 1"), "after /a")
        self.assertEqual(self.first_failure(
            "echo 'Bail out! ERROR:../a/b.c:12:test_c: assertion failed (1 == 2)'; exit 1"),
            "b.c:12:test_c")
        self.assertEqual(self.first_failure("exit 3"), "status 3")
        self.assertEqual(self.first_failure("sleep 60", 0.2), "it hung")

    def test_nothing_is_left_running(self):
        with tempfile.TemporaryDirectory() as folder:
            pid = Path(folder, "pid")
            self.first_failure(f"sleep 60 >/dev/null & echo $! > {pid}; exit 1")
            status = Path(f"/proc/{pid.read_text().strip()}/stat")
            # On a busy machine one that was killed is not gone at once.
            end = time.monotonic() + 10
            while self.runs(status) and time.monotonic() < end:
                time.sleep(0.01)
            self.assertFalse(self.runs(status))

    def runs(self, status):
        """Whether the process of that file in /proc runs."""
        try:
            return status.read_text().split()[2] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False


class RunTest(unittest.TestCase):
    """One mutant in a room of the test's own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.room = mutate.Room.__new__(mutate.Room)
        self.room.source, self.room.seconds = Path(folder.name), 0
        self.file = Path(folder.name, mutate.overlay.DEVICE, "rules.c")
        self.file.parent.mkdir(parents=True)
        self.mutant = mutate.by_hand()[0]
        self.seen = []

    def look(self, *_):
        """Stands in for the compiler: keeps what it would have compiled."""
        self.seen.append(self.file.read_text())
        return True

    def run_with(self, failed):
        """The verdict where the qtests end like that."""
        with mock.patch.object(self.room, "compiles", self.look), \
                mock.patch.object(self.room, "qtests", failed):
            return self.room.run(self.mutant)

    def test_the_change_is_built_and_taken_back(self):
        original = (mutate.DEVICE / "rules.c").read_text()
        self.assertEqual(self.run_with(lambda *_: "after /a"), (mutate.KILLED, "after /a"))
        self.assertEqual(self.seen, [self.mutant.text])
        self.assertEqual(self.file.read_text(), original)
        self.assertEqual(self.run_with(lambda *_: None), (mutate.SURVIVED, ""))

    def test_an_interrupt_takes_it_back(self):
        with self.assertRaises(KeyboardInterrupt):
            self.run_with(mock.Mock(side_effect=KeyboardInterrupt))
        self.assertNotEqual(self.file.read_text(), self.mutant.text)
