# SPDX-License-Identifier: MIT
"""The packages: what is missing, and who may install it."""

import contextlib
import io
import tempfile
import unittest
from unittest import mock

from pcmaster import packages
from pcmaster.cache import Cache
from pcmaster.ui import Problem


def installed(*names):
    """dpkg-query's answer if only these are installed."""
    lines = [f"installed {name}" for name in names] + ["config-files gone"]
    return mock.patch("pcmaster.process.output", return_value="\n".join(lines))


@contextlib.contextmanager
def system(machine="x86_64", **release):
    """A machine with that os-release."""
    with mock.patch("platform.machine", return_value=machine), \
            mock.patch("platform.freedesktop_os_release", return_value=release):
        yield


class PackagesTest(unittest.TestCase):
    """Nothing here installs anything."""

    def test_what_is_missing(self):
        with installed(*packages.NEEDED):
            self.assertEqual(packages.find_missing(), [])
        with installed(*packages.NEEDED[1:]):
            self.assertEqual(packages.find_missing(), packages.NEEDED[:1])
        with mock.patch.object(packages, "NEEDED", ["gone"]), installed("other"):
            self.assertEqual(packages.find_missing(), ["gone"])

    def test_no_dpkg_at_all(self):
        with mock.patch("pcmaster.process.output", return_value=None):
            with self.assertRaisesRegex(Problem, "needs Debian"):
                packages.find_missing()

    def test_systems(self):
        for version in ("12", "13"):
            with system(ID="debian", VERSION_ID=version):
                packages.check_system()
        with system(ID="debian"):
            packages.check_system()
        for unfit in (system(ID="debian", VERSION_ID="11"), system(ID="other"),
                      system(machine="aarch64", ID="debian", VERSION_ID="13")):
            with unfit, installed(), self.assertRaises(Problem):
                packages.check_system()

    def test_versions(self):
        for release, number in (({"ID": "debian", "VERSION_ID": "12"}, 12),
                                ({"ID": "debian"}, float("inf")), ({"ID": "other"}, 0)):
            with system(**release):
                self.assertEqual(packages.debian_version(), number)

    def test_who_may_install(self):
        with mock.patch("os.geteuid", return_value=0):
            self.assertEqual(packages.as_root()[0], "env")
        with mock.patch("os.geteuid", return_value=1000):
            with mock.patch("shutil.which", return_value="/usr/bin/sudo"):
                self.assertEqual(packages.as_root()[:2], ["sudo", "env"])
            with mock.patch("shutil.which", return_value=None):
                self.assertIsNone(packages.as_root())

    def test_neither_root_nor_sudo_gets_the_command(self):
        said = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, installed(), \
                system(ID="debian", VERSION_ID="12"), \
                mock.patch("pcmaster.packages.as_root", return_value=None), \
                contextlib.redirect_stderr(said), \
                self.assertRaisesRegex(Problem, "(?s)apt-get update && apt-get install "
                                                ".*seabios"):
            packages.ensure(Cache(folder))
        self.assertIn("seabios", said.getvalue())
