# SPDX-License-Identifier: MIT
"""The drivers' images, as far as they can be judged without Windows."""

import unittest

import looking
from pcmaster import guest

DRIVERS = {key: looking.BUILD / guest.IMAGES[key]
           for key in ("driver.sys", "faulty.sys", "edu.sys", "sb16.sys")}
EXECUTIVE = looking.BUILD / guest.IMAGES["portcls.sys"]
AMD64, PE32_PLUS, NATIVE = 0x8664, 0x20b, 1
RELOCS_STRIPPED, DLL = 0x0001, 0x2000
HIGH_ENTROPY_VA, DYNAMIC_BASE, NX_COMPAT = 0x20, 0x40, 0x100
CODE, DISCARDABLE, EXECUTE, WRITE = 0x20, 0x02000000, 0x20000000, 0x80000000
EXPORTS, CERTIFICATES, TLS = 0, 4, 9


class ImageTest(unittest.TestCase):
    """Each is a driver that Windows 10 x64 could load."""

    def each(self):
        """Every driver, as a subtest."""
        for key, path in DRIVERS.items():
            with self.subTest(key):
                yield path

    def test_headers(self):
        for path in self.each():
            image = looking.parsed(path)
            self.assertEqual(image.FILE_HEADER.Machine, AMD64)
            self.assertEqual(image.OPTIONAL_HEADER.Magic, PE32_PLUS)
            self.assertEqual(image.OPTIONAL_HEADER.Subsystem, NATIVE)
            self.assertFalse(image.FILE_HEADER.Characteristics & (RELOCS_STRIPPED | DLL))
            for flag in (HIGH_ENTROPY_VA, DYNAMIC_BASE, NX_COMPAT):
                self.assertTrue(image.OPTIONAL_HEADER.DllCharacteristics & flag)
            self.assertTrue(image.is_driver())

    def test_pefile_has_no_complaint(self):
        for path in self.each():
            self.assertEqual(looking.parsed(path).get_warnings(), [])

    def test_the_checksum_is_right(self):
        for path in self.each():
            self.assertTrue(looking.parsed(path).OPTIONAL_HEADER.CheckSum)
            self.assertTrue(looking.parsed(path).verify_checksum())

    def test_both_tools_read_the_same_headers(self):
        for path in self.each():
            fields = looking.fields_by_objdump(path)
            header = looking.parsed(path).OPTIONAL_HEADER
            for ours, theirs in (("AddressOfEntryPoint", "AddressOfEntryPoint"),
                                 ("ImageBase", "ImageBase"), ("SizeOfImage", "SizeOfImage"),
                                 ("SectionAlignment", "SectionAlignment"),
                                 ("SizeOfHeaders", "SizeOfHeaders"), ("CheckSum", "CheckSum"),
                                 ("Subsystem", "Subsystem"),
                                 ("DllCharacteristics", "DllCharacteristics"),
                                 ("MajorSubsystemVersion", "MajorSubsystemVersion")):
                expected = getattr(header, theirs)
                seen = fields[ours]
                if ours.startswith("Major"):    # objdump prints these in decimal
                    seen = int(f"{seen:x}")
                self.assertEqual(seen, expected, ours)

    def test_both_tools_read_the_same_imports(self):
        for path in self.each():
            imports = looking.imports_by_pefile(path)
            self.assertEqual(imports, looking.imports_by_objdump(path))
            self.assertGreater(len(imports), 20)
            self.assertEqual(len(imports), len(set(imports)))

    def test_both_tools_read_the_same_sections(self):
        for path in self.each():
            flags = looking.sections_by_objdump(path)
            self.assertIn("CODE", flags[".text"])
            for section in looking.parsed(path).sections:
                # Long names stand in the string table, which only objdump reads.
                name = section.Name.rstrip(b"\0").decode()
                if not name.startswith("/"):
                    self.assertEqual("CODE" in flags[name],
                                     bool(section.Characteristics & CODE), name)

    def test_no_section_is_both_written_and_executed(self):
        for path in self.each():
            for section in looking.parsed(path).sections:
                self.assertNotEqual(section.Characteristics & (WRITE | EXECUTE),
                                    WRITE | EXECUTE, section.Name)

    def test_debug_information_is_discarded(self):
        for path in self.each():
            for section in looking.parsed(path).sections:
                if section.Name.startswith((b"/", b".debug")):
                    self.assertTrue(section.Characteristics & DISCARDABLE, section.Name)

    def test_the_entry_is_code(self):
        for path in self.each():
            image = looking.parsed(path)
            section = image.get_section_by_rva(image.OPTIONAL_HEADER.AddressOfEntryPoint)
            self.assertEqual(section.Name.rstrip(b"\0"), b".text")

    def test_what_a_driver_has_no_use_for(self):
        for path in self.each():
            directories = looking.parsed(path).OPTIONAL_HEADER.DATA_DIRECTORY
            for number in (EXPORTS, CERTIFICATES, TLS):
                self.assertEqual(directories[number].Size, 0, directories[number].name)


class ImportTest(unittest.TestCase):
    """Imports are documented, and Windows exports them."""

    def test_every_import_is_documented(self):
        for key, path in DRIVERS.items():
            with self.subTest(key):
                self.assertEqual(looking.undocumented(path), [])

    def test_what_is_not_documented_is_found(self):
        self.assertTrue([name for name in looking.undocumented(EXECUTIVE)
                         if name.startswith("HAL.dll!Halp")])

    def test_the_list_is_in_order(self):
        for module, names in looking.documented().items():
            with self.subTest(module):
                self.assertEqual(names, sorted(set(names)))

    def test_the_list_is_exported(self):
        modules = looking.documented()
        self.assertEqual(set(modules), {*looking.LIBRARIES, "portcls.sys"})
        for module, library in looking.LIBRARIES.items():
            with self.subTest(module):
                self.assertEqual(set(modules[module]) - looking.exported(library), set())


if __name__ == "__main__":
    unittest.main()
