/*
 * The run from the first instruction of ntoskrnl.exe to the exit status.
 *
 * SPDX-License-Identifier: MIT
 */
#include "executive.h"

#include "halp.h"
#include "pcmaster_regs.h"

#define HPET_ADDRESS            44      /* offset in the table */
#define HPET_LENGTH             56

static void __attribute__((noreturn)) CannotStart(const char *Reason)
{
    DbgPrint("executive: %s\n", Reason);
    KiExit(BOOT_EXIT_NO_START);
}

static ULONGLONG HpetAddress(void)
{
    size_t length;
    const UCHAR *table = MiFindFirmwareTable("HPET", &length);

    if (!table || length < HPET_LENGTH) {
        CannotStart("the machine has no HPET (use -machine hpet=on)");
    }
    return *(const ULONGLONG *)(table + HPET_ADDRESS);
}

static ULONG StartDevices(PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT pdo = NULL;
    ULONG started = 0;

    while ((pdo = IopFindPdo(PCM_PCI_VENDOR_ID, PCM_PCI_DEVICE_ID, pdo))) {
        started += NT_SUCCESS(IopStartDevice(Driver, pdo));
    }
    return started;
}

static void RemoveDevices(void)
{
    PDEVICE_OBJECT pdo = NULL;

    while ((pdo = IopFindPdo(PCM_PCI_VENDOR_ID, PCM_PCI_DEVICE_ID, pdo))) {
        IopRemoveDevice(pdo);
    }
}

/* The client's entry point does the whole work, and its status says how. */
static UCHAR Run(void)
{
    PDRIVER_OBJECT driver, client;
    NTSTATUS status = IopLoadDriver("driver.sys", &driver);

    if (!NT_SUCCESS(status)) {
        DbgPrint("executive: the driver did not load: 0x%x\n", status);
        return BOOT_EXIT_NO_START;
    }
    if (!StartDevices(driver)) {
        CannotStart("no pcmaster device was started (is -device pcmaster "
                    "there?)");
    }
    status = IopLoadDriver("client.sys", &client);
    RemoveDevices();
    IopUnloadDriver(driver);
    if (status != STATUS_SUCCESS && status != STATUS_UNSUCCESSFUL) {
        DbgPrint("executive: the client could not run: 0x%x\n", status);
        return BOOT_EXIT_NO_START;
    }
    return status == STATUS_SUCCESS ? BOOT_EXIT_PASSED : BOOT_EXIT_FAILED;
}

/* Entered by the boot stub: interrupts off, one processor, all RAM mapped. */
void KiSystemStartup(const struct boot_block *Boot)
{
    __writecr8(PASSIVE_LEVEL);
    KiInitializeProcessor();
    LdrpInitialize(Boot);
    MiInitialize(Boot);
    if (!HalInitialize(HpetAddress())) {
        CannotStart("the local APIC or the HPET cannot be used");
    }
    KiStartClock();
    IopInitialize(Boot);
    DbgPrint("executive: %u NUMA node%s, command line: %s\n", MiNodeCount(),
             MiNodeCount() == 1 ? "" : "s", Boot->command_line);
    KiExit(Run());
}
