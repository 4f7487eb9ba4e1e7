/* SPDX-License-Identifier: MIT */
/*
 * IDmaChannel as a class, called as a C++ driver calls it
 *
 * Compiled for two ABIs. For Microsoft's, PhysicalAddress is declared as in
 * Microsoft's portcls.h, and the compiler passes a pointer to its result by
 * itself; others would return it in a register, so they have to say it.
 * Nothing here comes from a header: the class is what the documents list.
 */
typedef unsigned int ULONG;
typedef int NTSTATUS;

union PHYSICAL_ADDRESS {
    struct {
        ULONG LowPart;
        int HighPart;
    } u;
    long long QuadPart;
};

struct IDmaChannel {
    virtual NTSTATUS QueryInterface(const void *id, void **object) = 0;
    virtual ULONG AddRef() = 0;
    virtual ULONG Release() = 0;
    virtual NTSTATUS AllocateBuffer(ULONG size, PHYSICAL_ADDRESS *constraint) = 0;
    virtual void FreeBuffer() = 0;
    virtual ULONG TransferCount() = 0;
    virtual ULONG MaximumBufferSize() = 0;
    virtual ULONG AllocatedBufferSize() = 0;
    virtual ULONG BufferSize() = 0;
    virtual void SetBufferSize(ULONG size) = 0;
    virtual void *SystemAddress() = 0;
#ifdef _MSC_VER
    virtual PHYSICAL_ADDRESS PhysicalAddress() = 0;
#else
    virtual PHYSICAL_ADDRESS *PhysicalAddress(PHYSICAL_ADDRESS *result) = 0;
#endif
    virtual void *GetAdapterObject() = 0;
    virtual void CopyTo(void *destination, void *source, ULONG count) = 0;
    virtual void CopyFrom(void *destination, void *source, ULONG count) = 0;
};

/* What abi.c compares with its own view of the same channel. */
struct SEEN {
    long long PhysicalAddress;
    void *SystemAddress;
    void *Adapter;
    ULONG Maximum, Allocated, Size, SizeSet, Transfers;
    NTSTATUS First, Second;
    ULONG References, Copied;
};

static long long AddressOf(IDmaChannel *channel)
{
#ifdef _MSC_VER
    return channel->PhysicalAddress().QuadPart;
#else
    PHYSICAL_ADDRESS address;

    return channel->PhysicalAddress(&address)->QuadPart;
#endif
}

extern "C" void SeeChannel(IDmaChannel *channel, ULONG size, SEEN *seen)
{
    PHYSICAL_ADDRESS constraint;
    ULONG word = 0xabcd1234;

    constraint.QuadPart = 0xffff;
    seen->First = channel->AllocateBuffer(size, &constraint);
    seen->Second = channel->AllocateBuffer(size, nullptr);
    seen->PhysicalAddress = AddressOf(channel);
    seen->SystemAddress = channel->SystemAddress();
    seen->Adapter = channel->GetAdapterObject();
    seen->Maximum = channel->MaximumBufferSize();
    seen->Allocated = channel->AllocatedBufferSize();
    seen->Size = channel->BufferSize();
    channel->SetBufferSize(size / 2);
    seen->SizeSet = channel->BufferSize();
    seen->Transfers = channel->TransferCount();
    channel->CopyTo(seen->SystemAddress, &word, sizeof(word));
    channel->CopyFrom(&seen->Copied, seen->SystemAddress, sizeof(word));
    channel->AddRef();
    seen->References = channel->Release();
}

extern "C" void LeaveChannel(IDmaChannel *channel)
{
    channel->FreeBuffer();
    channel->Release();
}
