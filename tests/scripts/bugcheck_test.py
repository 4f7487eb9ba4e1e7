# SPDX-License-Identifier: MIT
"""Bug checks on the console, and what a person is shown of them."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from pcmaster import boot, bugcheck, judge, symbols

REPORT = """\
executive: 1 NUMA node

verifier: FreeCommonBuffer: Length is not the allocation's (free-length, 0x101)
verifier: expected 0x2000
verifier: actual 0x1fff
verifier: buffer logical 0xff66000 length 8192 uncached virtual ffffdffffffdf000 node 3
verifier: allocated by AllocateCommonBufferEx at driver.sys+0x5bec ntoskrnl.exe+0x36c5

*** bug check 0xe6 DRIVER_VERIFIER_DMA_VIOLATION at IRQL 0
    parameters 0000000000000101 ffff80000ff98f10 000000000ff66000 0000000000001fff
    called by:
        hal.dll+0x25a5
        driver.sys+0x5bfb
        client.sys+0x1508
"""
TRAP = """\
*** bug check 0x50 PAGE_FAULT_IN_NONPAGED_AREA at IRQL 2
    exception 14, error code 0x2
    instruction fffff80000191b47 = client.sys+0x1b47
    address     fffff80000191b47
    called by:
        client.sys+0x12f7
"""
SOURCE = """\
static int __attribute__((noinline)) callee(volatile int *at)
{
    return *at + 1;
}

static inline __attribute__((always_inline)) int inlined(volatile int *at)
{
    return callee(at) + 1;
}

int __attribute__((noinline)) caller(volatile int *at)
{
    return inlined(at) + 1;
}

int entry(void)
{
    volatile int value = 1;

    return caller(&value) + 1;
}
"""


class ParseTest(unittest.TestCase):
    """What is read from a console."""

    def test_a_report_of_the_verifier(self):
        check = bugcheck.parse(REPORT.splitlines())
        self.assertEqual((check.code, check.irql, check.instruction), (0xe6, 0, None))
        self.assertEqual(check.callers, [("hal.dll", 0x25a5), ("driver.sys", 0x5bfb),
                                         ("client.sys", 0x1508)])
        report = check.report
        self.assertEqual((report.name, report.code, report.routine, report.text),
                         ("free-length", 0x101, "FreeCommonBuffer",
                          "Length is not the allocation's"))
        self.assertEqual(report.values, {"expected": "0x2000", "actual": "0x1fff"})
        self.assertEqual(report.sites["allocated"], bugcheck.Site(
            "AllocateCommonBufferEx", [("driver.sys", 0x5bec), ("ntoskrnl.exe", 0x36c5)]))

    def test_a_trap(self):
        check = bugcheck.parse(TRAP.splitlines())
        self.assertEqual((check.code, check.irql, check.report), (0x50, 2, None))
        self.assertEqual(check.places(), [("client.sys", 0x1b47), ("client.sys", 0x12f7)])

    def test_no_bug_check(self):
        self.assertIsNone(bugcheck.parse(["executive: 1 NUMA node", "ok 1 - node/0"]))

    def test_rows_without_debug_information(self):
        rows = list(bugcheck.rows(bugcheck.parse(REPORT.splitlines()), {}))
        self.assertIn(("in", "driver.sys+0x5bfb (no debug information)"), rows)
        self.assertIn(("buffer", "8192 bytes at logical 0xff66000, uncached, on node 3, "
                       "virtual 0xffffdffffffdf000"), rows)
        self.assertIn(("allocated in", "driver.sys+0x5bec (no debug information), by "
                       "AllocateCommonBufferEx"), rows)
        self.assertNotIn("client.sys", str(rows))

    def test_summary(self):
        found = bugcheck.summary(bugcheck.parse(REPORT.splitlines()), {})
        self.assertEqual((found["code"], found["rule"], found["rule_code"]),
                         ("0xe6", "free-length", "0x101"))


class JudgeTest(unittest.TestCase):
    """Whether a mistake counts as stopped."""

    def complaints(self, text, status=boot.BUG_CHECK, rule="free-length"):
        """What is complained about a boot that said so."""
        outcome = boot.Boot(status, text.splitlines(), 60, False, 1.0, "")
        return judge.judge_mistake(outcome, {"name": "x", "rule": rule}).complaints

    def test_stopped(self):
        self.assertEqual(self.complaints(REPORT), [])

    def test_not_stopped(self):
        self.assertIn("x was not stopped", self.complaints("", boot.HELD)[0])

    def test_stopped_by_another(self):
        self.assertIn("without a report", self.complaints(TRAP)[0])
        self.assertIn("free-length, not free-cache",
                      self.complaints(REPORT, rule="free-cache")[0])


class SymbolsTest(unittest.TestCase):
    """Functions and lines of a small image."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.image = Path(folder.name, "small.sys")
        source = Path(folder.name, "small.c")
        source.write_text(SOURCE)
        subprocess.run(["x86_64-w64-mingw32-gcc", "-g", "-O1", "-nostdlib", "-ffreestanding",
                        "-fno-optimize-sibling-calls", "-Wl,--entry,entry", "-o", cls.image,
                        source], check=True)
        listing = subprocess.run(["x86_64-w64-mingw32-objdump", "-d", "--no-show-raw-insn",
                                  cls.image], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout
        base = symbols.image_base(cls.image)
        rows = [line.split() for line in listing.splitlines() if line.startswith(" ")]
        cls.returns = [int(after[0].rstrip(":"), 16) - base for row, after
                       in zip(rows, rows[1:]) if row[1].startswith("call")]

    def test_return_addresses(self):
        """Inlined functions have frames of their own, and each its call's line."""
        frames = symbols.resolve([("small.sys", at) for at in self.returns],
                                 {"small.sys": self.image})
        found = [(frame.function, frame.line) for frame in frames]
        self.assertEqual(found, [("inlined", 8), ("caller", 13), ("entry", 20)])
        self.assertTrue(all(frame.file.endswith("small.c") for frame in frames))

    def test_unknown(self):
        frames = symbols.resolve([("none.sys", 1), ("small.sys", 0x7fff0000)],
                                 {"small.sys": self.image})
        self.assertEqual([frame.function for frame in frames], [None, None])
        self.assertIn("none.sys+0x1", str(frames[0]))


if __name__ == "__main__":
    unittest.main()
