# SPDX-License-Identifier: MIT
"""scripts/run --driver: drivers of other devices, edu.sys above all."""

import os
import re
from pathlib import Path

import booting
import running
from pcmaster import boot, driver, guest, process

EDU = ["--driver", "edu.sys", "--device", "edu"]
NAMES = ["edu/liveness", "edu/interrupt", "edu/factorial", "edu/common-buffer", "edu/packets"]
REACH = 1 << 28
IMPORT = re.compile(r"^\t[0-9a-f]+\t +\d+  (\w+)$", re.MULTILINE)


class DriverTest(running.RunCase):
    """Runs of edu.sys, from its name or from a copy."""

    def image(self, name="edu.sys"):
        """The path of one of the guest's images."""
        return Path(os.environ["PCMASTER_BUILD"], guest.IMAGES[name])

    def copy(self, content=None, inf=None):
        """edu.sys under another name, perhaps with an .inf beside it."""
        path = self.folder / "copy.sys"
        path.write_bytes(content or self.image().read_bytes())
        if inf:
            path.with_suffix(".INF").write_bytes(inf)
        return path

    def held(self, *words, count=1):
        """All of edu.sys' results, for that many devices."""
        ran = self.run_with(*words)
        self.assert_status(0, ran)
        results = ran.results()
        self.assertEqual([(e["name"], e["result"]) for e in results["exercises"]],
                         [(name, "ok") for name in NAMES] * count)
        self.assertIn("edu: the factorial of 12 is 479001600", ran.text)
        if words[:2] == ("--driver", "edu.sys"):
            self.assertIn("edu: interrupts by message", ran.text)
        self.assertIn(f"devices started: {count}; {len(NAMES) * count} held", ran.text)
        for entry in results["exercises"]:
            if "logical" in entry:
                last = entry["logical"].partition("-")[2]
                self.assertLess(int(last, 16), REACH)
        return ran

    def refused(self, *words):
        """A run that could not be; returns what it said."""
        ran = self.run_with(*words)
        self.assert_status(2, ran)
        self.assertNotIn("Traceback", ran.text)
        return ran.text

    def test_it_holds(self):
        for more in ([], ["--iommu"], ["--machine", "pc"], ["--platform", "win7"],
                     ["--nodes", "1", "--cpus", "1", "--memory", "256M"]):
            with self.subTest(more):
                self.held(*EDU, *more)

    def test_a_card_that_reaches_more(self):
        self.held("--driver", "edu.sys", "--device", "edu,dma_mask=0xffffffff")

    def test_two_cards(self):
        self.held(*EDU, "--device", "edu,addr=1e.0", count=2)

    def test_a_card_that_lacks_address_lines(self):
        ran = self.run_with("--driver", "edu.sys", "--device", "edu,dma_mask=0xffff000")
        self.assert_status(1, ran)
        self.assertIn("edu/common-buffer did not hold", ran.text)
        self.assertIn("edu/packets did not hold", ran.text)
        self.assertIn("QEMU: EDU: clamping DMA", ran.text)
        self.assertIn("3 held, 2 failed", ran.text)

    def test_the_inf_beside_it(self):
        inf = self.image().with_name("edu.inf").read_text()
        self.held("--driver", self.copy(inf=inf.encode("utf-16")), "--device", "edu")
        other = inf.replace("DEV_11E8", "DEV_11E9").encode()
        self.assertIn("no device of those that the driver is for",
                      self.refused("--driver", self.copy(inf=other), "--device", "edu"))

    def test_a_line_where_the_inf_asks_for_no_messages(self):
        inf = self.image().with_name("edu.inf").read_text().replace("MSISupported", "Other")
        words = ["--driver", self.copy(inf=inf.encode()), "--device"]
        for more in ([], ["--iommu"], ["--machine", "pc"]):
            with self.subTest(more):
                ran = self.held(*words, "edu,addr=8.0", *more)
                self.assertIn("edu: interrupts by line", ran.text)
                ran = self.held(*words, "edu,addr=8.0", "--device", "edu,addr=c.0", *more, count=2)
                self.assertEqual(ran.text.count("edu: interrupts by line"), 2)

    def test_an_id_in_place_of_an_inf(self):
        for name in (r"PCI\VEN_1234&DEV_11E8", r"pci\ven_1234&dev_11e8&subsys_11001af4&rev_10",
                     r"PCI\CC_00FF00"):
            with self.subTest(name):
                self.held("--driver", self.copy(), "--device", "edu", "--hardware-id", name)
        self.assertIn("no device of those", self.refused(
            "--driver", self.copy(), "--device", "edu", "--hardware-id", r"PCI\VEN_1234&DEV_11E"))

    def test_what_is_not_there(self):
        self.assertIn("--device adds one", self.refused("--driver", "edu.sys"))
        self.assertIn("no such device", self.refused("--driver", "edu.sys", "--device", "nosuch"))
        self.assertIn("no hardware ID", self.refused(*EDU, "--hardware-id", "a b"))

    def test_what_is_pcmasters(self):
        for words in (["--exercise", "play"], ["--fault", "limit"]):
            self.assertIn("is not for pcmaster", self.refused(*EDU, *words))
        self.assert_status(0, self.run_with("--driver", "pcmaster.sys", "--exercise", "play",
                                            "--device", "edu"))

    def test_pcmasters_inf_is_for_the_device_that_is_there(self):
        image = self.image("driver.sys")
        ids = self.folder / "driver.ids"
        ids.write_text("\n".join(driver.ids_for(image, [])))
        ran = booting.boot(booting.SMALL, {"client": "none"}, ids=ids)
        self.assertIn("devices for the driver: 1, started: 1", ran.text)
        self.assertEqual(ran.status, boot.HELD, ran.text)

    def test_a_device_that_it_cannot_drive(self):
        text = self.refused("--driver", "edu.sys", "--device", "ich9-usb-ehci1",
                            "--hardware-id", r"PCI\CC_0C0320")
        self.assertIn("edu: no memory resource of 1048576 bytes", text)
        self.assertIn("devices for the driver: 1, started: 0", text)

    def test_ports_and_a_line(self):
        text = self.refused("--driver", "edu.sys", "--device", "AC97,audiodev=snd",
                            "--hardware-id", r"PCI\VEN_8086&DEV_2415")
        self.assertRegex(text, r"io: PCI\\VEN_8086&DEV_2415&SUBSYS_[0-9A-F]{8}&REV_01\n")
        self.assertRegex(text, r"io:   1024 ports from 0x[0-9a-f]+\n")
        self.assertRegex(text, r"io:   256 ports from 0x[0-9a-f]+\n")
        self.assertRegex(text, r"io:   interrupt by line, vector 0x[0-9a-f]+\n")
        self.assertIn("edu: no memory resource", text)

    def test_a_card_on_the_isa_bus(self):
        words = ("--driver", self.image("sb16.sys"), "--hardware-id", "*PNPB003", "--device")
        ran = self.run_with(*words, "sb16,audiodev=snd,iobase=0x240,irq=7,dma=3,dma16=6")
        self.assert_status(0, ran)
        for line in (r"io: \*PNPB003", "io:   16 ports from 0x240", "io:   interrupt by line, vector 0x",
                     "io:   DMA channel 3", "io:   DMA channel 6", "devices started: 1"):
            self.assertRegex(ran.text, line)
        self.assertIn("no device of those", self.refused(*words, "edu"))

    def test_one_of_two_devices(self):
        ran = self.run_with(*EDU, "--device", "ich9-usb-ehci1", "--hardware-id",
                            r"PCI\CC_0C0320", "--hardware-id", r"PCI\VEN_1234&DEV_11E8")
        self.assert_status(1, ran)
        self.assertIn("1 of 2 devices did not start", ran.text)

    def test_every_import_that_is_missing_is_named(self):
        content = self.image().read_bytes()
        names = IMPORT.findall(process.output(["x86_64-w64-mingw32-objdump", "-p",
                                               self.image()]))
        self.assertGreater(len(names), 20)
        for name in names:
            content = content.replace(f"{name}\0".encode(), f"{name[:-1]}Q\0".encode())
        text = self.refused("--driver", self.copy(content), "--device", "edu",
                            "--hardware-id", r"PCI\VEN_1234&DEV_11E8")
        for name in names:
            self.assertIn(f"  ntoskrnl.exe!{name[:-1]}Q\n", text)
        self.assertNotIn("edu: ", text)
