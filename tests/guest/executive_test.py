# SPDX-License-Identifier: MIT
"""The executive: its self-test, each mistake it must stop, and other machines."""

import re
import tempfile
import unittest
from pathlib import Path

import booting
from pcmaster import CHECKOUT, boot, iommu

SHOWN = re.compile(r"format \[(.*)\] \[(.*)\]$", re.MULTILINE)
SHOWN_AT_LEAST = 30
EXPORTS = ("ntoskrnl.def", "hal/hal.def", "portcls/portcls.def")
DMA = "0xe6 DRIVER_VERIFIER_DMA_VIOLATION"
FOUND = "0xc4 DRIVER_VERIFIER_DETECTED_VIOLATION"
FAULT = "0x50 PAGE_FAULT_IN_NONPAGED_AREA"
IRQL = "0xa IRQL_NOT_LESS_OR_EQUAL"
REGIONS = "0x1 APC_INDEX_MISMATCH"
CLIENT = "= client.sys+0x"
# Of the port class driver, what must be called at PASSIVE_LEVEL and is called above it; of
# the last row: at DISPATCH_LEVEL or below.
PORTCLS = """
    PcInitializeAdapterDriver PcAddAdapterDevice PcRegisterSubdevice PcForwardIrpSynchronous
    PcGetDeviceProperty PcRegisterIoTimeout PcUnregisterIoTimeout
    PcRegisterAdapterPowerManagement PcUnregisterAdapterPowerManagement PcRequestNewPowerState
    PcRegisterPhysicalConnection PcRegisterPhysicalConnectionFromExternal
    PcRegisterPhysicalConnectionToExternal PcNewPort PcNewDmaChannel
    PcNewResourceList PcNewResourceSublist PcNewInterruptSync PcNewServiceGroup PcNewRegistryKey
    IRegistryKey::QueryKey IRegistryKey::EnumerateKey IRegistryKey::QueryValueKey
    IRegistryKey::EnumerateValueKey IRegistryKey::SetValueKey IRegistryKey::NewSubKey
    IRegistryKey::QueryRegistryValues IRegistryKey::DeleteKey
    IDmaChannel::AllocateBuffer IDmaChannel::FreeBuffer
    IResourceList::AddEntry IResourceList::AddEntryFromParent
    IInterruptSync::Connect IInterruptSync::Disconnect IInterruptSync::RegisterServiceRoutine
    IServiceGroup::SupportDelayedService IServiceGroup::Release
    IPort::Init IPort::GetDeviceProperty IPort::NewRegistryKey
    IPortWaveCyclic::NewMasterDmaChannel IPortWaveCyclic::NewSlaveDmaChannel
    PcCompleteIrp PcCompletePendingPropertyRequest IServiceGroup::AddMember
    IServiceGroup::RemoveMember IServiceGroup::RequestDelayedService
    IServiceGroup::CancelDelayedService
""".split()

# What the report of each must say.
VIOLATIONS = {
    "region-never-left": (REGIONS, "critical regions were entered and never left"),
    "adapter-of-removed": (DMA, "never-put", "IRP_MN_REMOVE_DEVICE"),
    "interrupt-of-removed": (FOUND, "the driver has left its interrupt connected"),
    "attached-to-removed": (FOUND, "a device object is still attached"),
    "item-freed-queued": (FOUND, "IoFreeWorkItem: the item is queued"),
    "item-queued-twice": ("0xe4 WORKER_INVALID", "IoQueueWorkItem: the item is queued already"),
    "write-null": (FAULT, CLIENT, "address     0000000000000000\n"),
    "write-at-dispatch": ("0xd1 DRIVER_IRQL_NOT_LESS_OR_EQUAL", CLIENT),
    "write-code": (FAULT, CLIENT, "error code 0x3\n"),
    "write-constant": (FAULT, CLIENT, "error code 0x3\n"),
    "execute-data": (FAULT, CLIENT, "error code 0x11\n"),
    "pool-free-twice": ("0x19 BAD_POOL_HEADER", "freed twice"),
    "pool-pages-free-twice": ("0xc2 BAD_POOL_CALLER", "freed, but never allocated"),
    "pool-header": ("0x19 BAD_POOL_HEADER", "its header was overwritten"),
    "pool-tag": ("0xc2 BAD_POOL_CALLER", "another tag"),
    "contiguous-free-wrong": ("0xc2 BAD_POOL_CALLER", "MmFreeContiguousMemory("),
    "contiguous-free-twice": ("0xc2 BAD_POOL_CALLER", "MmFreeContiguousMemory("),
    "contiguous-never-freed": ("0x1a MEMORY_MANAGEMENT", "pages are in use, not"),
    "unmap-wrong": ("0xc2 BAD_POOL_CALLER", "unmapping"),
    "mdl-free-mapped": ("0x1a MEMORY_MANAGEMENT", "still mapped at"),
    "mdl-unmap-wrong": ("0x1a MEMORY_MANAGEMENT", "not where the MDL is mapped"),
    "mdl-part-outside": ("0x40 TARGET_MDL_TOO_SMALL", "IoBuildPartialMdl("),
    "mdl-part-small": ("0x40 TARGET_MDL_TOO_SMALL", "IoBuildPartialMdl("),
    "mdl-of-nothing": (FAULT, "an MDL for 0000000000000000, where nothing is mapped"),
    "complete-twice": ("0x44 MULTIPLE_IRP_COMPLETE_REQUESTS",),
    "no-stack-location": ("0x35 NO_MORE_IRP_STACK_LOCATIONS",),
    "wait-at-dispatch": (IRQL,),
    "delay-at-dispatch": (IRQL,),
    "flush-at-dispatch": (IRQL,),
    "semaphore-limit": ("0x7e SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", "c0000047"),
    "spin-lock-twice": ("0xf SPIN_LOCK_ALREADY_OWNED",),
    "spin-lock-not-held": ("0x10 SPIN_LOCK_NOT_OWNED",),
    "bug-check": ("bug check 0x1234", "0000000000001111 0000000000002222 "
                  "0000000000003333 0000000000004444", "called by:\n        client.sys+0x"),
    "bug-check-plain": ("bug check 0xe2",),
    "divide": ("0x7e SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", "exception 0,", CLIENT),
    "release-twice": (FOUND, "a method of an object that was released to the last"),
    "used-after-release": (FOUND, "a method of an object that was released to the last"),
    **{f"irql/{routine}": (DMA, f"verifier: {routine}", "at a wrong IRQL (irql, 0x13)")
       for routine in PORTCLS},
}


class Point(unittest.TestCase):
    """One check of the self-test on one machine."""

    def __init__(self, on, point, booted):
        super().__init__("held")
        self.on, self.point, self.booted = on, point, booted

    def shortDescription(self):
        return f"{self.point.name}, {self.on.name}"

    def held(self):
        """ok, or else what the guest said since the check before."""
        said = self.booted.text.partition(f"not ok {self.point.number} - ")[0]
        self.assertTrue(self.point.ok, said.rpartition("\nok ")[2])


class SelfTest(unittest.TestCase):
    """The self-test as a whole on one machine."""

    def __init__(self, on, booted):
        super().__init__("complete")
        self.on, self.booted = on, booted

    def shortDescription(self):
        return f"self-test complete, {self.on.name}"

    def complete(self):
        """All that was planned, the right status, and DbgPrint's own texts."""
        self.assertEqual(self.booted.results.faults(), [], self.booted.text)
        held = boot.FAILED if self.booted.results.failed else boot.HELD
        self.assertEqual(self.booted.status, held, self.booted.text)
        self.assertEqual(iommu.STARTED[0] in self.booted.text, self.on.shape.iommu)
        shown = SHOWN.findall(self.booted.text)
        self.assertGreaterEqual(len(shown), SHOWN_AT_LEAST)
        for expected, actual in shown:
            self.assertEqual(expected, actual)


class Violation(unittest.TestCase):
    """One mistake, in a guest of its own."""

    def __init__(self, name):
        super().__init__("stopped")
        self.name = name

    def shortDescription(self):
        return f"stopped: {self.name}"

    def stopped(self):
        """A bug check whose report names the mistake."""
        ran = booting.boot(booting.SMALL, {"exercise": "none", "violation": self.name},
                           client=booting.VIOLATION)
        self.assertEqual(ran.status, boot.BUG_CHECK, ran.text)
        self.assertEqual(ran.text.count("*** bug check "), 1, ran.text)
        for words in VIOLATIONS[self.name]:
            self.assertIn(words, ran.text)


class Coverage(unittest.TestCase):
    """That nothing is left out."""

    def test_every_violation_is_expected(self):
        ran = booting.boot(booting.SMALL, {"exercise": "none"}, client=booting.VIOLATION)
        listed = re.findall(r"^violation: (\S+)$", ran.text, re.MULTILINE)
        self.assertEqual(set(listed), set(VIOLATIONS))

    def test_every_export_is_called(self):
        callers = booting.SELFTEST.read_bytes() + booting.VIOLATION.read_bytes()
        names = [name for file in EXPORTS for name in documented(file)]
        self.assertGreater(len(names), 80)
        # An image's import table has each name between two zero bytes.
        missing = [name for name in names if b"\0" + name.encode() + b"\0" not in callers]
        self.assertEqual(missing, [])


class MachineTest(unittest.TestCase):
    """Every exercise on machines other than the usual one."""

    def everything_holds(self, on):
        """No failure and nothing left out."""
        ran = booting.boot(on, {"exercise": "*"})
        self.assertEqual(ran.results.failed, [], ran.text)
        self.assertEqual(ran.results.faults(), [], ran.text)
        self.assertEqual(ran.status, boot.HELD, ran.text)

    def test_one_node_of_256_mib(self):
        self.everything_holds(booting.SMALL)

    def test_four_nodes_of_3_gib(self):
        self.everything_holds(booting.LARGE)


class RefusalTest(unittest.TestCase):
    """What keeps the guest from starting: status 37, and the reason."""

    def refused(self, *reasons, on=booting.SMALL, driver=None, **keys):
        """These reasons must be on the console."""
        with tempfile.NamedTemporaryFile(suffix=".sys") as file:
            if driver is not None:
                file.write(driver)
                file.flush()
            ran = booting.boot(on, {"exercise": "*", **keys},
                               driver=None if driver is None else Path(file.name))
        self.assertEqual(ran.status, boot.COULD_NOT_START, ran.text)
        for reason in reasons:
            self.assertIn(reason, ran.text)

    def driver(self):
        """The driver's image."""
        return booting.programs_and_images()[1]["driver.sys"].read_bytes()

    def test_a_truncated_driver(self):
        whole = self.driver()
        for length in (len(whole) // 2, 1000, 100, 1):
            with self.subTest(length=length):
                self.refused("ldr: driver.sys: ", driver=whole[:length])

    def test_a_driver_that_is_no_image(self):
        self.refused("ldr: driver.sys: ", driver=b"no image\n" * 100)

    def test_all_missing_imports_are_named(self):
        names = (b"IoCreateDevice", b"KeSetEvent", b"PcNewDmaChannel")
        broken = self.driver()
        for name in names:
            self.assertIn(name + b"\0", broken)
            broken = broken.replace(name + b"\0", name[:-1] + b"Q\0")
        self.refused("ntoskrnl.exe!IoCreateDevicQ", "ntoskrnl.exe!KeSetEvenQ",
                     "portcls.sys!PcNewDmaChanneQ", driver=broken)

    def test_a_windows_that_is_not_known(self):
        for name in ("win95", "win", "win101", "", "x" * 100):
            with self.subTest(name):
                self.refused("platform= names none of win7, win8 and win10", platform=name)

    def test_no_device(self):
        self.refused("devices for the driver: 0, started: 0", on=booting.BARE)


def documented(file):
    """The routines that a list of exports has before the executive's own."""
    text = (CHECKOUT / "guest-driver/executive" / file).read_text()
    names = text.partition("EXPORTS\n")[2].partition("\n\n")[0]
    return names.split()


def load_tests(loader, tests, pattern):
    """A case for each check on each machine and each mistake, besides those above."""
    for on in (booting.USUAL, booting.SMALL, booting.REMAPPED):
        booted = booting.boot(on, {"exercise": "none"}, client=booting.SELFTEST)
        tests.addTests(Point(on, point, booted) for point in booted.results.points)
        tests.addTest(SelfTest(on, booted))
    tests.addTests(map(Violation, VIOLATIONS))
    return tests
