/*
 * PCI configuration space, through the two I/O ports: all that is needed here
 * lies in its first 256 bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pci.h"

#include "portio.h"

#define PORT_ADDRESS            0xcf8
#define PORT_DATA               0xcfc
#define ADDRESS_ENABLE          0x80000000u

#define REG_ID                  0x00
#define REG_COMMAND             0x04
#define   COMMAND_IO            0x0001u
#define   COMMAND_MEMORY        0x0002u
#define   COMMAND_MASTER        0x0004u
#define   STATUS_CAPABILITIES   0x00100000u
#define REG_CLASS               0x08
#define REG_HEADER              0x0c
#define   HEADER_MULTIFUNCTION  0x00800000u
#define   HEADER_TYPE(value)    ((value) >> 16 & 0x7f)
#define   HEADER_BRIDGE         1
#define   BAR_IO                0x1u
#define   BAR_TYPE_MASK         0x6u
#define   BAR_TYPE_64           0x4u
#define   BAR_PREFETCHABLE      0x8u
#define   BAR_FLAGS             0xfu
#define   BAR_IO_FLAGS          0x3u
#define   PORTS_LAST            0xffffu
#define REG_BUSES               0x18
#define REG_SUBSYSTEM           0x2c
#define REG_CAPABILITIES        0x34
#define   CAPABILITY_POWER      0x01
#define   CAPABILITY_MSI        0x05
#define   CAPABILITY_EXPRESS    0x10
#define   EXPRESS_TYPE(header)  ((header) >> 20 & 0xf)
#define   EXPRESS_TO_PCI        7
#define   MSI_ENABLE            0x00010000u
#define   MSI_MULTIPLE_MASK     0x00700000u
#define   MSI_64_BIT            0x00800000u
#define   CAPABILITIES_MAX      48
#define REG_INTERRUPT           0x3c
#define   INTERRUPT_LINE(value) ((value) & 0xff)
#define   INTERRUPT_PIN(value)  ((value) >> 8 & 0xff)
#define   LINE_UNKNOWN          0xff
#define POWER_CONTROL           4
#define   POWER_STATE           0x0003u
#define   POWER_D3HOT           0x0003u
#define   POWER_STATUS          0x8000u     /* written as 1, it goes */
#define NO_FUNCTION             0xffffffffu

#define BUSES                   256
#define DEVICES                 32
#define FUNCTIONS               8
#define BRIDGE_BARS             2

/* How a bridge marks what comes from below it (PCI Express to PCI/PCI-X Bridge
   Specification 1.0, 2.3). */
typedef enum {
    KEEPS_REQUESTER,            /* PCI Express on both sides */
    TAKES_OWNERSHIP,            /* conventional: its own number */
    GIVES_SECONDARY_BUS         /* from conventional to Express: bus, device 0 */
} BRIDGE_KIND;

/* For each bus, the bridge above it; a root bus has none. */
static struct {
    bool Present;
    PCI_PLACE Place;
    BRIDGE_KIND Kind;
} Above[BUSES];

static ULONG Address(const PCI_FUNCTION *Function, ULONG Register)
{
    return ADDRESS_ENABLE | (ULONG)Function->Bus << 16 |
           (ULONG)Function->Device << 11 | (ULONG)Function->Function << 8 |
           (Register & 0xfc);
}

ULONG PciReadConfig(const PCI_FUNCTION *Function, ULONG Register)
{
    port_write32(PORT_ADDRESS, Address(Function, Register));
    return port_read32(PORT_DATA);
}

void PciWriteConfig(const PCI_FUNCTION *Function, ULONG Register, ULONG Value)
{
    port_write32(PORT_ADDRESS, Address(Function, Register));
    port_write32(PORT_DATA, Value);
}

/* The list is the device's: a loop in it must not catch us. */
static UCHAR FindCapability(const PCI_FUNCTION *Function, UCHAR Id)
{
    UCHAR at;

    if (!(PciReadConfig(Function, REG_COMMAND) & STATUS_CAPABILITIES)) {
        return 0;
    }
    at = (UCHAR)PciReadConfig(Function, REG_CAPABILITIES) & 0xfc;
    for (ULONG i = 0; at && i < CAPABILITIES_MAX; i++) {
        ULONG header = PciReadConfig(Function, at);

        if ((UCHAR)header == Id) {
            return at;
        }
        at = (UCHAR)(header >> 8) & 0xfc;
    }
    return 0;
}

static void Identify(PCI_FUNCTION *Function, ULONG Id)
{
    Function->VendorId = (USHORT)Id;
    Function->DeviceId = (USHORT)(Id >> 16);
    Function->Subsystem = PciReadConfig(Function, REG_SUBSYSTEM);
    Function->Class = PciReadConfig(Function, REG_CLASS) >> 8;
    Function->Revision = (UCHAR)PciReadConfig(Function, REG_CLASS);
    Function->MsiCapability = FindCapability(Function, CAPABILITY_MSI);
    Function->PowerCapability = FindCapability(Function, CAPABILITY_POWER);
}

static BRIDGE_KIND KindOf(const PCI_FUNCTION *Bridge)
{
    UCHAR at = FindCapability(Bridge, CAPABILITY_EXPRESS);

    if (!at) {
        return TAKES_OWNERSHIP;
    }
    return EXPRESS_TYPE(PciReadConfig(Bridge, at)) == EXPRESS_TO_PCI
               ? GIVES_SECONDARY_BUS : KEEPS_REQUESTER;
}

static void NoteBridge(const PCI_FUNCTION *Function)
{
    UCHAR secondary = (UCHAR)(PciReadConfig(Function, REG_BUSES) >> 8);

    Above[secondary].Present = true;
    Above[secondary].Place.Bus = Function->Bus;
    Above[secondary].Place.Devfn =
        (UCHAR)(Function->Device << 3 | Function->Function);
    Above[secondary].Kind = KindOf(Function);
}

/* Calls Visit for all functions that answer; slot 0 tells of the other seven. */
static void Scan(void (*Visit)(PCI_FUNCTION *Function, ULONG Id, PVOID Context),
                 PVOID Context)
{
    PCI_FUNCTION f;

    for (ULONG slot = 0; slot < BUSES * DEVICES; slot++) {
        ULONG functions = 1;

        for (ULONG i = 0; i < functions; i++) {
            ULONG id;

            RtlZeroMemory(&f, sizeof(f));
            f.Bus = (UCHAR)(slot / DEVICES);
            f.Device = (UCHAR)(slot % DEVICES);
            f.Function = (UCHAR)i;
            id = PciReadConfig(&f, REG_ID);
            if (id == NO_FUNCTION) {
                continue;
            }
            if (PciReadConfig(&f, REG_HEADER) & HEADER_MULTIFUNCTION) {
                functions = FUNCTIONS;
            }
            Visit(&f, id, Context);
        }
    }
}

static bool IsBridge(const PCI_FUNCTION *Function)
{
    return HEADER_TYPE(PciReadConfig(Function, REG_HEADER)) == HEADER_BRIDGE;
}

typedef struct _FOUND {
    PCI_FUNCTION Functions[64];
    ULONG Count;
} FOUND;

static void Visit(PCI_FUNCTION *Function, ULONG Id, PVOID Context)
{
    FOUND *found = Context;

    if (IsBridge(Function)) {
        NoteBridge(Function);
        PciNoteMemory(Function, BRIDGE_BARS);
    } else if (found->Count < RTL_NUMBER_OF(found->Functions)) {
        Identify(Function, Id);
        PciNoteMemory(Function, PCI_BARS);
        found->Functions[found->Count++] = *Function;
    } else {
        DbgPrint("pci: too many functions, %02x:%02x.%u is left out\n",
                 Function->Bus, Function->Device, Function->Function);
    }
}

ULONG PciWayTo(const PCI_FUNCTION *Function, PCI_PLACE Way[PCI_WAY_MAX])
{
    UCHAR bus = Function->Bus;
    ULONG count = 1;

    for (; Above[bus].Present && count <= PCI_WAY_MAX; count++) {
        bus = Above[bus].Place.Bus;
    }
    if (count > PCI_WAY_MAX) {
        return 0;
    }
    bus = Function->Bus;
    Way[count - 1].Bus = bus;
    Way[count - 1].Devfn = (UCHAR)(Function->Device << 3 | Function->Function);
    for (ULONG i = count - 1; i; i--) {
        Way[i - 1] = Above[bus].Place;
        bus = Above[bus].Place.Bus;
    }
    return count;
}

/* The bridges above may each replace what stands there. */
static USHORT RequesterOf(const PCI_FUNCTION *Function)
{
    USHORT requester = PCI_REQUESTER(Function->Bus, Function->Device,
                                     Function->Function);
    UCHAR bus = Function->Bus;

    for (ULONG i = 0; i < PCI_WAY_MAX && Above[bus].Present; i++) {
        PCI_PLACE bridge = Above[bus].Place;

        if (Above[bus].Kind == TAKES_OWNERSHIP) {
            requester = (USHORT)(bridge.Bus << 8 | bridge.Devfn);
        } else if (Above[bus].Kind == GIVES_SECONDARY_BUS) {
            requester = PCI_REQUESTER(bus, 0, 0);
        }
        bus = bridge.Bus;
    }
    return requester;
}

static void Locate(PCI_FUNCTION *Function)
{
    PCI_PLACE way[PCI_WAY_MAX];

    Function->RootBus = PciWayTo(Function, way) ? way[0].Bus : Function->Bus;
    Function->RequesterId = RequesterOf(Function);
}

void PciEnumerate(void (*Found)(const PCI_FUNCTION *Function))
{
    static FOUND found;

    Scan(Visit, &found);
    for (ULONG i = 0; i < found.Count; i++) {
        Locate(&found.Functions[i]);
        Found(&found.Functions[i]);
    }
}

PCI_MEMORY PciReadBar(const PCI_FUNCTION *Function, ULONG Bar)
{
    ULONG low = PciReadConfig(Function, PCI_REG_BAR(Bar)), high = 0;
    bool wide = (low & BAR_TYPE_MASK) == BAR_TYPE_64 && Bar + 1 < PCI_BARS;
    ULONG command = PciReadConfig(Function, REG_COMMAND);
    PCI_MEMORY memory = { 0 };
    ULONGLONG mask;

    if (low & BAR_IO) {
        return memory;
    }
    PciWriteConfig(Function, REG_COMMAND, (command & 0xffff) & ~COMMAND_MEMORY);
    PciWriteConfig(Function, PCI_REG_BAR(Bar), MAXULONG);
    mask = 0xffffffff00000000ull | (PciReadConfig(Function, PCI_REG_BAR(Bar)) &
                                    ~BAR_FLAGS);
    PciWriteConfig(Function, PCI_REG_BAR(Bar), low);
    if (wide) {
        high = PciReadConfig(Function, PCI_REG_BAR(Bar + 1));
        PciWriteConfig(Function, PCI_REG_BAR(Bar + 1), MAXULONG);
        mask &= (ULONGLONG)PciReadConfig(Function, PCI_REG_BAR(Bar + 1)) << 32 |
                MAXULONG;
        PciWriteConfig(Function, PCI_REG_BAR(Bar + 1), high);
    }
    PciWriteConfig(Function, REG_COMMAND, command & 0xffff);
    memory.Wide = wide;
    memory.Base = (ULONGLONG)high << 32 | (low & ~BAR_FLAGS);
    if (memory.Base && (ULONG)mask) {
        memory.Length = ~mask + 1;
        memory.Prefetchable = (low & BAR_PREFETCHABLE) != 0;
    }
    return memory;
}

PCI_MEMORY PciReadPorts(const PCI_FUNCTION *Function, ULONG Bar)
{
    ULONG value = PciReadConfig(Function, PCI_REG_BAR(Bar)), mask;
    ULONG command = PciReadConfig(Function, REG_COMMAND) & 0xffff;
    PCI_MEMORY ports = { 0 };

    if (!(value & BAR_IO)) {
        return ports;
    }
    PciWriteConfig(Function, REG_COMMAND, command & ~COMMAND_IO);
    PciWriteConfig(Function, PCI_REG_BAR(Bar), MAXULONG);
    mask = PciReadConfig(Function, PCI_REG_BAR(Bar)) & ~BAR_IO_FLAGS &
           PORTS_LAST;
    PciWriteConfig(Function, PCI_REG_BAR(Bar), value);
    PciWriteConfig(Function, REG_COMMAND, command);
    ports.Base = value & ~BAR_IO_FLAGS;
    ports.Length = ports.Base && mask ? (~mask & PORTS_LAST) + 1 : 0;
    return ports;
}

BOOLEAN PciReadLine(const PCI_FUNCTION *Function, ULONG *Line)
{
    ULONG value = PciReadConfig(Function, REG_INTERRUPT);

    *Line = INTERRUPT_LINE(value);
    return INTERRUPT_PIN(value) && *Line && *Line != LINE_UNKNOWN;
}

void PciEnable(const PCI_FUNCTION *Function, BOOLEAN Enable)
{
    ULONG bits = COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER;
    ULONG command = PciReadConfig(Function, REG_COMMAND) & 0xffff;

    PciWriteConfig(Function, REG_COMMAND, Enable ? command | bits
                                              : command & ~bits);
}

void PciSetPower(const PCI_FUNCTION *Function, BOOLEAN On)
{
    ULONG at = Function->PowerCapability + POWER_CONTROL;
    LARGE_INTEGER settled = { .QuadPart = -10 * 10000 };
    ULONG control;

    if (!Function->PowerCapability) {
        return;
    }
    control = PciReadConfig(Function, at) & ~(POWER_STATUS | POWER_STATE);
    PciWriteConfig(Function, at, control | (On ? 0 : POWER_D3HOT));
    KeDelayExecutionThread(KernelMode, FALSE, &settled);
}

void PciSetMessage(const PCI_FUNCTION *Function, ULONGLONG Address,
                   ULONG Data)
{
    ULONG at = Function->MsiCapability;
    ULONG control = PciReadConfig(Function, at) &
                    ~(MSI_ENABLE | MSI_MULTIPLE_MASK);

    PciWriteConfig(Function, at, control);
    if (!Address) {
        return;
    }
    PciWriteConfig(Function, at + 4, (ULONG)Address);
    if (control & MSI_64_BIT) {
        PciWriteConfig(Function, at + 8, (ULONG)(Address >> 32));
        PciWriteConfig(Function, at + 12, Data);
    } else {
        PciWriteConfig(Function, at + 8, Data);
    }
    PciWriteConfig(Function, at, control | MSI_ENABLE);
}
