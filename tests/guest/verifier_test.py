# SPDX-License-Identifier: MIT
"""Every mistake in the verifier's table: the report must name it, its function and
its line; and with the verifier off it must not be stopped by it.

A mistake is made in guest-driver/windows/mistakes*.c by the line that ends with its
name, or a pattern that it matches. The function and the line that are expected are
taken from the source.
"""

import fnmatch
import json
import os
import re
import subprocess
import unittest
from pathlib import Path

import booting
import running
from pcmaster import CHECKOUT, boot, bugcheck, guest

SOURCES = "guest-driver/windows/mistakes"
FUNCTION = re.compile(r"(?:static )?\w+ (\w+)\(struct scene \*s\)$")
MARK = re.compile(r"/\* ([a-z*-]+) \*/$")
RULES = "guest-driver/executive/hal/verify.h"
RULE = re.compile(r'RULE\(\w+, (0x[0-9a-f]+),\s*"([a-z-]+)"')
# Noticed when the device is removed: what the report says of what is alive.
AT_REMOVAL = {"never-put": "adapter made in: new_adapter",
              "unload-buffer": "allocated in: new_buffer",
              "unload-channel": "granted in: take_registers",
              "unload-registers": "granted in: take_registers",
              "unload-list": "granted in: take_list"}
SEVERAL_NODES = {"result-node"}
# The executive's own mistakes are made where the driver asks for a buffer.
OWN = "result-"
# What the machine itself or the memory manager cannot let pass.
FATAL = {"stale-adapter": None, "put-twice": None, "null-adapter": None,
         "stale-reused": None, "free-behind": None, "write-before": 0x50, "write-behind": 0x50,
         "read-behind": 0x50, "touch-freed": 0x50, "touch-reused": 0x50}
# The report says where it was freed before.
FREED = {"free-twice", "touch-freed", "stale-adapter", "registers-unknown", "list-unknown"}


def table():
    """The mistakes that the guest knows."""
    program = Path(os.environ["PCMASTER_BUILD"], guest.IMAGES["exercises"])
    return json.loads(subprocess.check_output([program, "--list"]))["mistakes"]


def codes():
    """The name of each rule -> its code."""
    text = (CHECKOUT / RULES).read_text().replace("\\\n", "")
    return {name: int(code, 16) for code, name in RULE.findall(text)}


def places():
    """The mark of each mistake -> the function that makes it, file:line."""
    found = {}
    for path in sorted(CHECKOUT.glob(f"{SOURCES}*.c")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := FUNCTION.match(line):
                function = match[1]
            if match := MARK.search(line):
                found[match[1]] = function, f"{path.relative_to(CHECKOUT)}:{number}"
    return found


def place(name, marks):
    """Where that mistake is made, of places(); None: it is not marked."""
    fitting = [mark for mark in marks if fnmatch.fnmatchcase(name, mark)]
    return marks[max(fitting, key=len)] if fitting else None


def make(name, **keys):
    """Boots a guest whose driver makes that mistake: (how it ended, bug check)."""
    _, images = booting.programs_and_images()
    on = booting.USUAL if name in SEVERAL_NODES else booting.SMALL
    ran = booting.boot(on, {"exercise": "none", "fault": name, **keys},
                       driver=images["faulty.sys"])
    return ran, bugcheck.parse(ran.text.splitlines())


def modules():
    """The images of what the guest loads, by the names it knows them by."""
    _, images = booting.programs_and_images()
    return {**images, "driver.sys": images["faulty.sys"]}


class Stopped(unittest.TestCase):
    """One mistake, with the verifier on."""

    def __init__(self, entry, code, place):
        super().__init__("stopped")
        self.entry, self.code, self.place = entry, code, place

    def shortDescription(self):
        return f"stopped: {self.entry['name']}"

    def stopped(self):
        """The rule, its code, and where the driver broke it."""
        name = self.entry["name"]
        ran, check = make(name)
        self.assertEqual(ran.status, boot.BUG_CHECK, ran.text)
        self.assertIsNotNone(check and check.report, ran.text)
        self.assertEqual(check.report.name, self.entry["rule"], ran.text)
        self.assertEqual(check.report.code, self.code, ran.text)
        self.assertEqual(check.code, 0xe6, ran.text)
        text = "\n".join(map(": ".join, bugcheck.rows(check, modules())))
        if name in AT_REMOVAL:
            self.assertEqual(check.report.routine, "IRP_MN_REMOVE_DEVICE")
            self.assertIn(f"\n{AT_REMOVAL[name]} at {SOURCES}", text)
            return
        function, line = self.place
        self.assertIn(f"\nin: {function} at {line}\n", text)
        if self.entry["rule"] in FREED or name == "vector-twice":
            self.assertRegex(text, r"\nfreed in: \w+ at ")
        if check.report.buffer and not name.startswith(OWN):
            self.assertRegex(text, r"\nbuffer: \d+ bytes at logical 0x")
            self.assertRegex(text, f"allocated in: new_(buffer|vector) at {SOURCES}")


class LetPass(unittest.TestCase):
    """One mistake, with the verifier off."""

    def __init__(self, entry):
        super().__init__("let_pass")
        self.entry = entry

    def shortDescription(self):
        return f"let pass: {self.entry['name']}"

    def let_pass(self):
        """Nothing is said, and the run ends well unless the machine stops it."""
        name = self.entry["name"]
        ran, check = make(name, verify="off")
        self.assertNotIn("verifier:", ran.text)
        if name not in FATAL:
            self.assertEqual(ran.status, boot.HELD, ran.text)
        elif FATAL[name]:
            self.assertEqual(check and check.code, FATAL[name], ran.text)


class Verifier(running.RunCase):
    """The verifier as a person meets it."""

    def test_a_report(self):
        ran = self.run_with("--fault", "free-twice")
        self.assert_status(0, ran)
        for words in ("fault ", "rule ", "free-twice (0x3)", f"free_twice at {SOURCES}",
                      "allocated in", "freed in", "stopped by the verifier"):
            self.assertIn(words, ran.text)
        found = ran.results()["bug_check"]
        self.assertEqual((found["rule"], found["function"], found["file"], found["line"]),
                         ("free-twice", "free_twice", *_place(places()["free-twice"][1])))

    def test_not_stopped_is_not_said_to_be(self):
        ran = self.run_with("--fault", "free-twice", "--no-verify")
        self.assert_status(1, ran)
        self.assertIn("free-twice was not stopped", ran.text)

    def test_the_device_has_no_part_in_it(self):
        ran = self.run_with("--fault", "free-twice", "--policy", "abort")
        self.assert_status(2, ran)
        self.assertIn("--policy", ran.text)

    def test_neither_on_nor_off(self):
        ran = booting.boot(booting.SMALL, {"exercise": "none", "verify": "perhaps"})
        self.assertEqual(ran.status, boot.COULD_NOT_START, ran.text)

    def test_each_rule_has_a_mistake(self):
        shown = {entry["rule"] for entry in table()}
        self.assertEqual(shown, set(codes()))

    def test_each_rule_and_mistake_is_documented(self):
        text = (CHECKOUT / "docs/verifier.md").read_text()
        for name, code in codes().items():
            self.assertRegex(text, rf"\| {code:#04x} \| `{name}` \|")
        for entry in table():
            self.assertIn(f"`{entry['name']}`", text)


def _place(text):
    """file:line as a pair."""
    file, _, line = text.rpartition(":")
    return file, int(line)


def load_tests(loader, tests, pattern):
    """Two cases for each mistake, besides those above."""
    known, marks = codes(), places()
    for entry in table():
        tests.addTest(Stopped(entry, known[entry["rule"]],
                              place(entry["name"], marks)))
        tests.addTest(LetPass(entry))
    return tests
