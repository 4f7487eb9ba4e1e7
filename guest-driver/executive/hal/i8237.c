/*
 * The 8237 DMA controllers: their ports (Intel 8237A data sheet).
 *
 * SPDX-License-Identifier: MIT
 */
#include "i8237.h"

#include "portio.h"

/* The second controller's registers are two ports apart. */
#define FIRST                   0x00
#define SECOND                  0xc0

/* A channel has two registers, address and count. */
#define REG_ADDRESS(channel)    (2 * ((channel) % I8237_CASCADE))
#define REG_COUNT(channel)      (2 * ((channel) % I8237_CASCADE) + 1)
#define REG_STATUS              0x8     /* reading clears the ends */
#define   STATUS_ENDED          0x0fu
#define REG_MASK                0xa     /* of one channel */
#define   MASK_SET              0x4u
#define REG_MODE                0xb
#define   MODE_CASCADE          0xc0u
#define REG_CLEAR_FLIP_FLOP     0xc

static const USHORT PagePorts[I8237_CHANNELS] = {
    0x87, 0x83, 0x81, 0x82, 0, 0x8b, 0x89, 0x8a,
};

/* Guards the flip-flops, and what follows. */
static KSPIN_LOCK Lock;
static ULONG Ended;             /* a bit for each channel */
static enum { UNKNOWN, ABSENT, PRESENT } State;

static USHORT Port(ULONG Channel, ULONG Register)
{
    return (USHORT)(Channel < I8237_CASCADE ? FIRST + Register
                                            : SECOND + 2 * Register);
}

static void Write(ULONG Channel, ULONG Register, ULONG Value)
{
    port_write8(Port(Channel, Register), (UCHAR)Value);
}

static void WriteWord(ULONG Channel, ULONG Register, USHORT Value)
{
    Write(Channel, REG_CLEAR_FLIP_FLOP, 0);
    Write(Channel, Register, Value & 0xff);
    Write(Channel, Register, Value >> 8);
}

static USHORT ReadWord(ULONG Channel, ULONG Register)
{
    ULONG low;

    Write(Channel, REG_CLEAR_FLIP_FLOP, 0);
    low = port_read8(Port(Channel, Register));
    return (USHORT)(low | port_read8(Port(Channel, Register)) << 8);
}

/*
 * The count goes on between the two reads: a borrow would be seen in one of
 * them only. Where two words in a row have one upper half there was none.
 */
static USHORT ReadCount(ULONG Channel)
{
    USHORT before, count = ReadWord(Channel, REG_COUNT(Channel));

    do {
        before = count;
        count = ReadWord(Channel, REG_COUNT(Channel));
    } while (before >> 8 != count >> 8);
    return count;
}

static void Mask(ULONG Channel, ULONG Set)
{
    Write(Channel, REG_MASK, Channel % I8237_CASCADE | Set);
}

/* One read is about four channels: what it says is kept for the others. */
static void NoteEnds(ULONG Channel)
{
    ULONG ends = port_read8(Port(Channel, REG_STATUS)) & STATUS_ENDED;

    Ended |= Channel < I8237_CASCADE ? ends : ends << I8237_CASCADE;
}

/* A page register keeps what is written to it. */
static bool Keeps(USHORT PagePort, UCHAR Value)
{
    port_write8(PagePort, Value);
    return port_read8(PagePort) == Value;
}

static void Find(void)
{
    const USHORT port = PagePorts[1];
    UCHAR before = port_read8(port);

    State = Keeps(port, 0x5a) && Keeps(port, 0xa5) ? PRESENT : ABSENT;
    port_write8(port, before);
    if (State == PRESENT) {
        Write(I8237_CASCADE, REG_MODE, MODE_CASCADE);
        Mask(I8237_CASCADE, 0);
    }
}

BOOLEAN HalpHasSystemDma(void)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    if (State == UNKNOWN) {
        Find();
    }
    KeReleaseSpinLock(&Lock, irql);
    return State == PRESENT;
}

void HalpStartSystemDma(ULONG Channel, const struct i8237_plan *Plan)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    Mask(Channel, MASK_SET);
    Write(Channel, REG_MODE, Plan->mode);
    WriteWord(Channel, REG_ADDRESS(Channel), Plan->address);
    port_write8(PagePorts[Channel], Plan->page);
    WriteWord(Channel, REG_COUNT(Channel), Plan->count);
    NoteEnds(Channel);
    Ended &= ~(1u << Channel);
    Mask(Channel, 0);
    KeReleaseSpinLock(&Lock, irql);
}

void HalpStopSystemDma(ULONG Channel)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    Mask(Channel, MASK_SET);
    KeReleaseSpinLock(&Lock, irql);
}

USHORT HalpSystemDmaCount(ULONG Channel, BOOLEAN *HasEnded)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    USHORT count = ReadCount(Channel);

    NoteEnds(Channel);
    *HasEnded = (Ended >> Channel & 1) != 0;
    KeReleaseSpinLock(&Lock, irql);
    return count;
}
