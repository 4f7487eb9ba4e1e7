# SPDX-License-Identifier: MIT
"""The drivers' .inf files: whole, and for the devices that there are."""

import re
import unittest

import looking
from pcmaster import guest, inf
from pcmaster.regmap import value

FILES = {"pcmaster.inf": "driver.sys", "edu.inf": "edu.sys"}
CLASSES = {"MEDIA": "{4D36E96C-E325-11CE-BFC1-08002BE10318}",
           "System": "{4D36E97D-E325-11CE-BFC1-08002BE10318}"}
# ks.h's, for the categories that an audio driver's interfaces are in.
CATEGORIES = {"{6994AD04-93EF-11D0-A3CC-00A0C9223196}",
              "{65E8773E-8F56-11D0-A3B9-00A0C9223196}",
              "{65E8773D-8F56-11D0-A3B9-00A0C9223196}"}
ROOTS = {"version", "destinationdirs", "sourcedisksnames", "sourcedisksfiles",
         "manufacturer", "strings"}
KEYS = {
    "install": {"Include", "Needs", "CopyFiles", "AddReg"},
    "service": {"DisplayName", "ServiceType", "StartType", "ErrorControl",
                "ServiceBinary"},
}
DRIVERS_FOLDER = "12"           # the dirid of System32\drivers
ASSOCIATED_SERVICE = "2"        # SPSVCINST_ASSOCSERVICE
MESSAGES = r"Interrupt Management\MessageSignaledInterruptProperties"
DATE = re.compile(r"(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])/20\d\d")
VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){3}")
TOKEN = re.compile(r"%([^%]+)%")


class InfFileTest(unittest.TestCase):
    """Each .inf, with the image beside it."""

    def each(self):
        """Every .inf, its text, and its driver, as a subtest."""
        for name, key in FILES.items():
            image = looking.BUILD / guest.IMAGES[key]
            path = image.with_name(name)
            with self.subTest(name):
                yield inf.read(path), path.read_text(encoding="ascii"), image

    def installs(self, file):
        """The install sections' names, as they stand in the Models section."""
        models = file.models()
        self.assertEqual(len(models), 1)
        return [section for _, section, _ in models]

    def test_version(self):
        for file, _, image in self.each():
            def one(key, inf_file=file):
                values = inf_file.values("Version", key)
                self.assertEqual(len(values), 1, key)
                return values[0]
            self.assertEqual(one("Signature"), "$WINDOWS NT$")
            self.assertEqual(one("ClassGuid"), CLASSES[one("Class")])
            self.assertTrue(one("Provider"))
            self.assertEqual(one("CatalogFile"), f"{image.stem}.cat")
            self.assertEqual(one("PnpLockdown"), "1")
            date, version = file.values("Version", "DriverVer")
            self.assertRegex(date, DATE)
            self.assertRegex(version, VERSION)

    def test_classes(self):
        classes = {image.name: file.values("Version", "Class")[0]
                   for file, _, image in self.each()}
        self.assertEqual(classes, {"pcmaster.sys": "MEDIA", "edu.sys": "System"})

    def test_hardware_ids(self):
        own = f"PCI\\VEN_{value('PCI_VENDOR_ID'):04X}&DEV_{value('PCI_DEVICE_ID'):04X}"
        ids = {image.name: file.hardware_ids() for file, _, image in self.each()}
        # edu's are its specification's.
        self.assertEqual(ids, {"pcmaster.sys": [own], "edu.sys": [r"PCI\VEN_1234&DEV_11E8"]})

    def test_only_x64_is_served(self):
        for file, _, _ in self.each():
            for _, (name, *targets) in file.section("Manufacturer"):
                self.assertEqual(targets, ["NTamd64"])
                self.assertNotIn(name, file)

    def test_the_image_is_copied_to_where_the_service_starts_it(self):
        for file, _, image in self.each():
            self.assertEqual(file.values("DestinationDirs", "DefaultDestDir"), [DRIVERS_FOLDER])
            self.assertEqual(file.section("SourceDisksFiles"), [(image.name, ["1"])])
            self.assertTrue(file.values("SourceDisksNames", "1"))
            for install in self.installs(file):
                lists = file.values(f"{install}.NT", "CopyFiles")
                self.assertEqual([fields for name in lists for _, fields
                                  in file.section(name)], [[image.name]])
                (_, (name, flags, section)), = file.section(f"{install}.NT.Services")
                self.assertEqual((name, flags), (image.stem, ASSOCIATED_SERVICE))
                self.assertEqual(file.values(section, "ServiceBinary"),
                                 [f"%{DRIVERS_FOLDER}%\\{image.name}"])
                for key, kernel in (("ServiceType", "1"), ("StartType", "3"),
                                    ("ErrorControl", "1")):
                    self.assertEqual(file.values(section, key), [kernel], key)
                self.assertLessEqual({key for key, _ in file.section(section)}, KEYS["service"])

    def test_interrupts_are_messages(self):
        for file, _, _ in self.each():
            for install in self.installs(file):
                lines = [fields for name in file.values(f"{install}.NT.HW", "AddReg")
                         for _, fields in file.section(name)]
                self.assertIn(["HKR", MESSAGES, "MSISupported", "0x00010001", "1"], lines)

    def test_audio_interfaces(self):
        file = inf.read((looking.BUILD / guest.IMAGES["driver.sys"]).with_name("pcmaster.inf"))
        install, = self.installs(file)
        self.assertEqual(file.values(f"{install}.NT", "Include"), ["ks.inf", "wdmaudio.inf"])
        self.assertEqual(file.values(f"{install}.NT", "Needs"),
                         ["KS.Registration", "WDMAUDIO.Registration"])
        lines = file.section(f"{install}.NT.Interfaces")
        self.assertEqual({category for _, (category, _, _) in lines}, CATEGORIES)
        for _, (_, _, section) in lines:
            names = [fields[2] for name in file.values(section, "AddReg")
                     for _, fields in file.section(name)]
            self.assertEqual(names, ["CLSID", "FriendlyName"])

    def test_subdevices_are_the_drivers(self):
        """The reference string of an interface is the name in PcRegisterSubdevice."""
        image = looking.BUILD / guest.IMAGES["driver.sys"]
        file = inf.read(image.with_name("pcmaster.inf"))
        install, = self.installs(file)
        self.assertIn(("portcls.sys", "PcRegisterSubdevice"), looking.imports_by_pefile(image))
        for _, (_, name, _) in file.section(f"{install}.NT.Interfaces"):
            self.assertIn(f"{name}\0".encode("utf-16-le"), image.read_bytes())

    def test_every_string_is_there_and_used(self):
        for file, text, _ in self.each():
            strings = {key.lower() for key, _ in file.section("Strings")}
            used = {name.lower() for name in TOKEN.findall(text)}
            self.assertEqual({name for name in used if not name.isdigit()}, strings)

    def test_every_section_is_reached(self):
        for file, _, _ in self.each():
            reached = set(ROOTS)
            for _, (name, *targets) in file.section("Manufacturer"):
                reached |= {f"{name}.{target}".lower() for target in targets}
            for install in self.installs(file):
                reached |= self.reached_from(file, f"{install}.NT")
            self.assertEqual(set(file.names), reached)

    def reached_from(self, file, install):
        """The sections that an install section leads to, with itself."""
        self.assertLessEqual({key for key, _ in file.section(install)}, KEYS["install"])
        reached = {install}
        for section in (install, f"{install}.HW"):
            reached |= {section, *file.values(section, "CopyFiles"),
                        *file.values(section, "AddReg")}
        reached.add(f"{install}.Services")
        reached |= {fields[2] for _, fields in file.section(f"{install}.Services")}
        for _, (_, _, section) in file.section(f"{install}.Interfaces"):
            reached |= {f"{install}.Interfaces", section, *file.values(section, "AddReg")}
        return {name.lower() for name in reached}


if __name__ == "__main__":
    unittest.main()
