# SPDX-License-Identifier: MIT
"""Wine loads the drivers and their DriverEntry returns; it installs them by their .inf.

portcls.sys is the executive's: Wine has none.
"""

import os
import unittest
from pathlib import Path

import wine
from pcmaster import guest

BUILD = Path(os.environ["PCMASTER_BUILD"])
PORTCLS = BUILD / guest.IMAGES["portcls.sys"]
INSTALL = BUILD / "tests/windows/install.exe"
REFUSES = BUILD / "tests/windows/refuses.sys"
DRIVERS = {"pcmaster": BUILD / guest.IMAGES["driver.sys"], "edu": BUILD / guest.IMAGES["edu.sys"]}
IDS = {"pcmaster": r"PCI\VEN_1AF4&DEV_10FA", "edu": r"PCI\VEN_1234&DEV_11E8"}
CLASSES = {"pcmaster": "MEDIA", "edu": "System"}


class WineTest(unittest.TestCase):
    """One Windows for all cases; each loads anew."""

    @classmethod
    def setUpClass(cls):
        cls.windows = wine.Windows()
        cls.addClassCleanup(cls.windows.close)
        cls.windows.place(PORTCLS)

    def has_run(self, service, image, told):
        """DriverEntry has left routines of its own, or of portcls.sys'."""
        images = told.images()
        self.assertIn(image, images)
        routines = told.routines(service)
        self.assertEqual(set(routines), {"DriverUnload", "MajorFunction[27]"}, told.text[-3000:])
        places = images[image] + images.get("portcls.sys", [])
        for name, address in routines.items():
            self.assertTrue(any(address in place for place in places), f"{name} {address:#x}")

    def test_drivers_are_loaded(self):
        for name, image in DRIVERS.items():
            with self.subTest(name):
                service = f"{name}_by_itself"
                self.windows.place(image)
                self.windows.create(service, image.name)
                state, code, told = self.windows.load(service)
                self.has_run(service, image.name, told)
                self.assertEqual((state, code), (wine.RUNNING, 0))

    def test_drivers_are_installed_by_their_inf(self):
        for service, image in DRIVERS.items():
            with self.subTest(service):
                copied = self.windows.prefix / wine.DRIVERS / image.name
                copied.unlink(missing_ok=True)
                output, _, _, told = self.windows.install(
                    INSTALL, image.with_name(f"{service}.inf"), IDS[service], service)
                self.assertEqual(output, f"class {CLASSES[service]}\ninstalled\n")
                self.assertEqual(copied.read_bytes(), image.read_bytes())
                self.has_run(service, image.name, told)

    def test_a_device_is_added(self):
        for name, image in DRIVERS.items():
            with self.subTest(name):
                service = f"{name}-added"
                _, state, _, told = self.windows.install(
                    INSTALL, image.with_name(f"{name}.inf"), IDS[name], service)
                # Devices that other cases have installed are added again.
                self.assertEqual(set(told.added(image.name)), {0})
                self.assertIsNone(state)        # the service is NAME

    def test_an_inf_of_another_device_installs_nothing(self):
        image = DRIVERS["edu"]
        copied = self.windows.prefix / wine.DRIVERS / image.name
        copied.unlink(missing_ok=True)
        self.windows.install(INSTALL, image.with_name("edu.inf"), r"PCI\VEN_1234&DEV_11E9", "other")
        self.assertFalse(copied.exists())

    def test_a_driver_that_refuses(self):
        self.windows.place(REFUSES)
        self.windows.create("refuses", REFUSES.name)
        state, _, told = self.windows.load("refuses")
        self.assertIn("refuses.sys", told.images())
        self.assertNotEqual(state, wine.RUNNING)
        self.assertEqual(told.routines("refuses").get("DriverUnload", 0), 0)

    def test_a_driver_that_is_cut_short(self):
        broken = self.windows.folder / "broken.sys"
        broken.write_bytes(DRIVERS["edu"].read_bytes()[:4096])
        self.windows.place(broken)
        self.windows.create("broken", broken.name)
        self.assertNotEqual(self.windows.load("broken")[0], wine.RUNNING)


if __name__ == "__main__":
    unittest.main()
