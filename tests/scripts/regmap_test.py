# SPDX-License-Identifier: MIT
"""The register map as the scripts read it."""

import unittest

from pcmaster import regmap


class RegisterMapTest(unittest.TestCase):

    def test_numbers(self):
        self.assertEqual(regmap.value("ID"), 0)
        self.assertEqual(regmap.value("ID_VALUE"), 0x414d4350)
        self.assertEqual(regmap.value("EX_STEP"), 0x9e3779b97f4a7c15)
        self.assertEqual(regmap.value("S_RUN"), 1)
        self.assertEqual(regmap.value("S_MUTE"), 1 << 31)

    def test_macros(self):
        self.assertEqual(regmap.value("STREAM", 3), 0x2180)
        self.assertEqual(regmap.value("WINDOW", 63), 0xfe0)
        self.assertEqual(regmap.value("INT_STREAM", 15), 1 << 31)

    def test_what_is_no_number(self):
        with self.assertRaises(KeyError):
            regmap.value("NO_SUCH")
        with self.assertRaises(ValueError):
            regmap.value("CAP_LOG", "v ")


if __name__ == "__main__":
    unittest.main()
