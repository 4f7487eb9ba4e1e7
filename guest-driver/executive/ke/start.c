/*
 * The run from the first instruction of ntoskrnl.exe to the exit status.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ki.h"

#include "halp.h"
#define STACK_SIZE              0x10000
#define FILE_NAME_MAX           16
#define HOME_AREA               32      /* the x64 convention's */

static void __attribute__((noreturn)) CannotStart(const char *Reason)
{
    DbgPrint("executive: %s\n", Reason);
    KiExit(BOOT_EXIT_NO_START);
}

static ULONGLONG HpetAddress(void)
{
    ULONGLONG address = MiFindHpet();

    if (!address) {
        CannotStart("the machine has no HPET (use -machine hpet=on)");
    }
    return address;
}

/* FALSE: there is none, or none could be started. */
static BOOLEAN StartDevices(PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT pdo = NULL;
    ULONG found = 0, started = 0;

    while ((pdo = IopNextMatch(pdo))) {
        found++;
        IopDescribePdo(pdo);
        started += NT_SUCCESS(IopStartDevice(Driver, pdo));
    }
    DbgPrint("executive: devices for the driver: %u, started: %u\n", found,
             started);
    return started != 0;
}

static void RemoveDevices(void)
{
    PDEVICE_OBJECT pdo = NULL;

    while ((pdo = IopNextMatch(pdo))) {
        IopRemoveDevice(pdo);
    }
}

/*
 * A second driver that the host may give: for the ISA bus's cards that the first
 * is not for. NULL: there is none.
 */
static PDRIVER_OBJECT StartIsaDriver(void)
{
    PDEVICE_OBJECT pdo = NULL;
    PDRIVER_OBJECT driver;
    char name[FILE_NAME_MAX];

    if (!IopBootOption("isa", name, sizeof(name))) {
        return NULL;
    }
    if (!NT_SUCCESS(IopLoadDriver(name, &driver))) {
        CannotStart("the driver for the ISA bus did not load");
    }
    while ((pdo = IopNextFreeIsa(pdo))) {
        IopDescribePdo(pdo);
        IopStartDevice(driver, pdo);
    }
    return driver;
}

static void RemoveIsaDriver(PDRIVER_OBJECT Driver)
{
    if (Driver) {
        IopRemoveDevicesOf(Driver);
        IopUnloadDriver(Driver);
    }
}

/* What a driver must have given back when it goes. */
static void CheckNothingLeft(ULONGLONG PagesBefore)
{
    HalpCheckUnload();
    if (HalpIsVerifying()) {
        HalpCheckDomains();
        MiCheckUsed(PagesBefore);
    }
    if (KiCountCriticalRegions()) {
        DbgPrint("\nke: %d critical regions were entered and never left\n",
                 KiCountCriticalRegions());
        KeBugCheckEx(APC_INDEX_MISMATCH, 0,
                     (ULONG_PTR)KiCountCriticalRegions(), 0, 0);
    }
}

/*
 * The client's entry point does the whole work, and its status says how. With
 * client=none starting and removing the devices is all there is to do.
 */
static NTSTATUS RunClient(void)
{
    PDRIVER_OBJECT client;
    char choice[sizeof("none") + 1] = "";

    if (IopBootOption("client", choice, sizeof(choice)) &&
        RtlEqualMemory(choice, "none", sizeof("none"))) {
        return STATUS_SUCCESS;
    }
    return IopLoadDriver("client.sys", &client);
}

static UCHAR Run(void)
{
    PDRIVER_OBJECT driver, isa;
    ULONGLONG pages = MiCountUsed();
    NTSTATUS status = IopLoadDriver("driver.sys", &driver);

    if (!NT_SUCCESS(status)) {
        DbgPrint("executive: the driver did not load: 0x%x\n", status);
        return BOOT_EXIT_NO_START;
    }
    if (!StartDevices(driver)) {
        CannotStart("the driver has no device to drive");
    }
    isa = StartIsaDriver();
    status = RunClient();
    RemoveIsaDriver(isa);
    RemoveDevices();
    IopUnloadDriver(driver);
    CheckNothingLeft(pages);
    if (status != STATUS_SUCCESS && status != STATUS_UNSUCCESSFUL) {
        DbgPrint("executive: the client could not run: 0x%x\n", status);
        return BOOT_EXIT_NO_START;
    }
    return status == STATUS_SUCCESS ? BOOT_EXIT_PASSED : BOOT_EXIT_FAILED;
}

static void __attribute__((noreturn, used)) Continue(
    const struct boot_block *Boot)
{
    if (!HalpInitialize(HpetAddress())) {
        CannotStart("the local APIC or the HPET cannot be used");
    }
    KiStartClock();
    MiSetCacheTypes();
    KiStartProcessors();
    IopInitializeOptions(Boot);
    if (!HalpSelectPlatform()) {
        CannotStart("platform= names none of win7, win8 and win10");
    }
    if (!HalpInitializeVerifier()) {
        CannotStart("verify= is neither on nor off");
    }
    HalpInitializeRemapping();
    CmInitialize();
    IopInitialize();
    IopInitializeMatch();
    DbgPrint("executive: %u NUMA node%s, %u processor%s, command line: %s\n",
             MiNodeCount(), MiNodeCount() == 1 ? "" : "s", KiProcessorCount,
             KiProcessorCount == 1 ? "" : "s", Boot->command_line);
    KiExit(Run());
}

/* Leaves the boot stub's stack for one with unmapped pages around it. */
static void __attribute__((noreturn)) ContinueOnStack(
    const struct boot_block *Boot, PUCHAR Stack)
{
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "call *%1"
                     : : "r"(Stack + STACK_SIZE - HOME_AREA), "r"(Continue),
                         "c"(Boot) : "memory");
    __builtin_unreachable();
}

/* Entered by the boot stub: interrupts off, one processor, all RAM mapped. */
void KiSystemStartup(const struct boot_block *Boot)
{
    PVOID stack;

    __writecr8(PASSIVE_LEVEL);
    KiInitializeProcessor();
    LdrpInitialize(Boot);
    MiInitialize(Boot);
    stack = ExAllocatePoolWithTag(NonPagedPool, STACK_SIZE, 'katS');
    if (stack) {
        stack = MiMap((ULONGLONG)MmGetPhysicalAddress(stack).QuadPart,
                      STACK_SIZE, MI_WRITE, MmCached);
    }
    if (!stack || !KiMakeIdleThread()) {
        CannotStart("no memory for a stack");
    }
    ContinueOnStack(Boot, stack);
}
