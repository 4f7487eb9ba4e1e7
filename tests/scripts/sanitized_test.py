# SPDX-License-Identifier: MIT
"""One stream of TAP made of what several qtests print."""

import io
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from pcmaster import sanitized


class RelayTest(unittest.TestCase):
    """Lines as GLib writes them."""

    def relayed(self, *lines):
        """What comes of these lines, and the relay."""
        relay = sanitized.Relay(io.StringIO())
        for line in lines:
            relay.line(line + "\n")
        relay.end()
        return relay.stream.getvalue().splitlines(), relay

    def test_results_are_numbered_anew_and_the_plan_comes_last(self):
        lines, relay = self.relayed("TAP version 13", "1..1", "ok 1 /a/b",
                                    "1..2", "ok 1 /c # SKIP why", "ok 2 - /d")
        self.assertEqual(lines, ["ok 1 - /a/b", "ok 2 - /c # SKIP why",
                                 "ok 3 - /d", "1..3"])
        self.assertEqual(relay.failed, 0)

    def test_failures_are_counted(self):
        lines, relay = self.relayed("not ok 1 /a", "ok 2 /b")
        self.assertEqual(lines[0], "not ok 1 - /a")
        self.assertEqual(relay.failed, 1)

    def test_other_lines_pass(self):
        lines, _ = self.relayed("# a remark", "Bail out! ERROR")
        self.assertEqual(lines, ["# a remark", "Bail out! ERROR", "1..0"])


class RunTest(unittest.TestCase):
    """How a qtest is started."""

    def test_its_lines_and_its_status_arrive(self):
        heard = []
        status = sanitized.run("/bin/echo", {}, heard.append)
        self.assertEqual((status, heard), (0, ["--tap -k\n"]))
        self.assertNotEqual(sanitized.run("/bin/false", {}, heard.append), 0)

    def test_a_finding_of_a_sanitizer_ends_the_program(self):
        for finding in ("char *a = malloc(c); a[c] = 1; return a[0];",
                        "return c << (31 + c);",
                        "return !malloc(c + 7);"):
            with tempfile.TemporaryDirectory() as folder:
                program = Path(folder, "program")
                subprocess.run(["gcc", "-fsanitize=address,undefined", "-x", "c", "-",
                                "-o", program], check=True, text=True,
                               input="#include <stdlib.h>\n"
                               f"int main(int c) {{ {finding} }}")
                env = dict(os.environ, **sanitized.OPTIONS)
                status = sanitized.run(program, env, lambda line: None,
                                       subprocess.DEVNULL)
                self.assertLess(status, 0, finding)
