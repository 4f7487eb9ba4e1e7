/* SPDX-License-Identifier: MIT */
/*
 * selftest.sys: a miniport's own DMA channel
 *
 * A port may call six methods of the channel that NewStream gives it, besides
 * IUnknown's.  This one has no others: a call of them goes to address 0.
 */
#include "portcls_test.h"

static struct six {
    IDmaChannel face;
    PDMACHANNEL real;
} channels[2];

static PDMACHANNEL real(IDmaChannel *this)
{
    return CONTAINING_RECORD(this, struct six, face)->real;
}

static ULONG NTAPI add_ref(IDmaChannel *this)
{
    return real(this)->lpVtbl->AddRef(real(this));
}

static ULONG NTAPI release(IDmaChannel *this)
{
    return real(this)->lpVtbl->Release(real(this));
}

static ULONG NTAPI allocated(IDmaChannel *this)
{
    return real(this)->lpVtbl->AllocatedBufferSize(real(this));
}

static ULONG NTAPI size(IDmaChannel *this)
{
    return real(this)->lpVtbl->BufferSize(real(this));
}

static VOID NTAPI set_size(IDmaChannel *this, ULONG bytes)
{
    real(this)->lpVtbl->SetBufferSize(real(this), bytes);
}

static PVOID NTAPI address(IDmaChannel *this)
{
    return real(this)->lpVtbl->SystemAddress(real(this));
}

static VOID NTAPI copy_to(IDmaChannel *this, PVOID to, PVOID from, ULONG bytes)
{
    real(this)->lpVtbl->CopyTo(real(this), to, from, bytes);
}

static VOID NTAPI copy_from(IDmaChannel *this, PVOID to, PVOID from, ULONG bytes)
{
    real(this)->lpVtbl->CopyFrom(real(this), to, from, bytes);
}

static const IDmaChannelVtbl methods = {
    .AddRef = add_ref, .Release = release, .AllocatedBufferSize = allocated, .BufferSize = size,
    .SetBufferSize = set_size, .SystemAddress = address, .CopyTo = copy_to, .CopyFrom = copy_from,
};

PDMACHANNEL only_six(PDMACHANNEL channel, bool capture)
{
    channels[capture].face.lpVtbl = &methods;
    channels[capture].real = channel;
    return &channels[capture].face;
}
