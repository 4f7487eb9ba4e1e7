# SPDX-License-Identifier: MIT
"""Reading .inf files, and what follows for a driver's devices."""

import tempfile
import unittest
from pathlib import Path

from pcmaster import driver, inf
from pcmaster.ui import Problem

TEXT = r"""
; a comment
[Version]
Signature = "$Windows NT$"   ; another
Provider=%Who%
[MANUFACTURER]
%Who% = Models, NTamd64.10.0, NTamd64, NTx86
%Other% = Rest
[Models.NTamd64]
"One; or two" = One, PCI\VEN_1234&DEV_0001, PCI\VEN_1234&DEV_0002
[Models.NTx86]
%Device% = Two, PCI\VEN_1234&DEV_0003
[models.ntamd64]
%Device% = Two, \
    PCI\VEN_1234&DEV_0004,
[Rest]
%Unknown% = Rest.Install, , "PCI\CC_0401"
[Files]
a.sys
b.sys,,"x,y""z"
[Strings]
WHO = "A, B"
Device = "Device; 100%%"
"""


class InfTest(unittest.TestCase):
    """What is read from a text."""

    def setUp(self):
        self.inf = inf.Inf(TEXT)

    def test_sections(self):
        self.assertIn("version", self.inf)
        self.assertIn("Files", self.inf)
        self.assertNotIn("other", self.inf)
        self.assertEqual(self.inf.section("files"), [("", ["a.sys"]),
                                                     ("", ["b.sys", "", 'x,y"z'])])
        self.assertEqual(self.inf.values("VERSION", "signature"), ["$Windows NT$"])
        self.assertEqual(self.inf.values("version", "provider"), ["A, B"])
        self.assertEqual(self.inf.section("nothing"), [])

    def test_models(self):
        self.assertEqual(self.inf.models(), [
            ("One; or two", "One", [r"PCI\VEN_1234&DEV_0001", r"PCI\VEN_1234&DEV_0002"]),
            ("Device; 100%", "Two", [r"PCI\VEN_1234&DEV_0004", ""]),
            ("%Unknown%", "Rest.Install", ["", r"PCI\CC_0401"])])

    def test_messages(self):
        line = r'HKR, "Interrupt Management\MessageSignaledInterruptProperties", '
        for rest, asked in (("MSISupported, 0x00010001, 1", True),
                            ("msisupported, 0x00010001, 0x1", True),
                            ("MSISupported, 0x00010001, 0x11", False),
                            ("MSISupported, 0x00010001, 0", False), ("Other, 1, 1", False)):
            with self.subTest(rest):
                self.assertEqual(inf.Inf(f"[Any]\n{line}{rest}\n").asks_for_messages(), asked)

    def test_hardware_ids(self):
        self.assertEqual(self.inf.hardware_ids(), [
            r"PCI\VEN_1234&DEV_0001", r"PCI\VEN_1234&DEV_0002", r"PCI\VEN_1234&DEV_0004",
            r"PCI\CC_0401"])

    def test_quotes_without_end(self):
        """They are read as they are, and at once."""
        line = '"' * 10001
        self.assertEqual(inf.Inf(f'[Any]\n{line}\n').section("any"), [("", ['"' * 4999 + '"'])])

    def test_what_is_no_inf(self):
        with self.assertRaisesRegex(Problem, "before the first section"):
            inf.Inf("no inf\n[Version]\n")


class FilesTest(unittest.TestCase):
    """Which devices a driver is for, by the files of a folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.image = Path(folder.name) / "some.sys"

    def test_encodings(self):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            with self.subTest(encoding):
                path = self.image.with_suffix(".inf")
                path.write_bytes(TEXT.encode(encoding))
                self.assertEqual(len(driver.ids_for(self.image, [])), 4)

    def test_none(self):
        self.assertEqual(driver.ids_for(self.image, []), [])
        self.image.with_suffix(".inf").write_text("[Version]\n")
        with self.assertRaisesRegex(Problem, "no hardware ID"):
            driver.ids_for(self.image, [])
        self.image.with_suffix(".inf").write_bytes(b"\xff\xfe\0")
        with self.assertRaisesRegex(Problem, "is no .inf file"):
            driver.ids_for(self.image, [])

    def test_ids_that_were_asked_for(self):
        self.image.with_suffix(".inf").write_text(TEXT)
        self.assertEqual(driver.ids_for(self.image, ["PCI\\CC_0401"]), ["PCI\\CC_0401"])
        with self.assertRaisesRegex(Problem, "no hardware ID: 'a b'"):
            driver.ids_for(self.image, ["a b"])

    def test_whose_they_are(self):
        self.assertTrue(driver.is_ours([]))
        self.assertTrue(driver.is_ours([r"PCI\CC_0401", r"pci\ven_1af4&dev_10fa&rev_01"]))
        self.assertFalse(driver.is_ours([r"PCI\VEN_1AF4&DEV_10FB", r"PCI\VEN_1AF4"]))
        self.assertFalse(driver.is_ours([r"PCI\VEN_1AF4&DEV_10FAA"]))
