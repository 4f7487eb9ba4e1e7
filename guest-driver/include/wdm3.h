/* SPDX-License-Identifier: MIT */
/*
 * What wdm.h of mingw-w64 lacks: version 3 of the DMA interface
 *
 * DEVICE_DESCRIPTION and DMA_OPERATIONS as Windows 8 and 10 lay them out on
 * x64.  The WDK gives the longer structures the names of the shorter ones; the
 * names here end in 3 so that they can stand beside wdm.h's.  Pointers to them
 * are exchanged through the types wdm.h knows: cast PDEVICE_DESCRIPTION3 to
 * PDEVICE_DESCRIPTION for IoGetDmaAdapter, and DMA_ADAPTER.DmaOperations to
 * PDMA_OPERATIONS3 if the adapter was requested with version 3.
 */
#ifndef PCMASTER_WDM3_H
#define PCMASTER_WDM3_H

#include <wdm.h>

#ifdef DEVICE_DESCRIPTION_VERSION3
#error "this wdm.h has version 3 of the DMA interface: use its own types"
#endif

#define DEVICE_DESCRIPTION_VERSION3         0x0003

/* The fields from DmaAddressWidth on count only if Version is 3. */
typedef struct _DEVICE_DESCRIPTION3 {
    ULONG Version;
    BOOLEAN Master;
    BOOLEAN ScatterGather;
    BOOLEAN DemandMode;
    BOOLEAN AutoInitialize;
    BOOLEAN Dma32BitAddresses;
    BOOLEAN IgnoreCount;
    BOOLEAN Reserved1;
    BOOLEAN Dma64BitAddresses;
    ULONG BusNumber;
    ULONG DmaChannel;
    INTERFACE_TYPE InterfaceType;
    DMA_WIDTH DmaWidth;
    DMA_SPEED DmaSpeed;
    ULONG MaximumLength;
    ULONG DmaPort;
    ULONG DmaAddressWidth;              /* 1 to 64 bits */
    ULONG DmaControllerInstance;
    ULONG DmaRequestLine;
    PHYSICAL_ADDRESS DeviceAddress;
} DEVICE_DESCRIPTION3, *PDEVICE_DESCRIPTION3;

#define DMA_ADAPTER_INFO_VERSION1           1
#define ADAPTER_INFO_SYNCHRONOUS_CALLBACK   0x0001
#define ADAPTER_INFO_API_BYPASS             0x0002

typedef struct _DMA_ADAPTER_INFO_V1 {
    ULONG ReadDmaCounterAvailable;
    ULONG ScatterGatherLimit;
    ULONG DmaAddressWidth;
    ULONG Flags;
    ULONG MinimumTransferUnit;
} DMA_ADAPTER_INFO_V1, *PDMA_ADAPTER_INFO_V1;

typedef struct _DMA_ADAPTER_INFO {
    ULONG Version;                      /* set by the caller */
    union {
        DMA_ADAPTER_INFO_V1 V1;
    };
} DMA_ADAPTER_INFO, *PDMA_ADAPTER_INFO;

#define DMA_TRANSFER_INFO_VERSION1          1
#define DMA_TRANSFER_INFO_VERSION2          2

typedef struct _DMA_TRANSFER_INFO_V1 {
    ULONG MapRegisterCount;
    ULONG ScatterGatherElementCount;
    ULONG ScatterGatherListSize;
} DMA_TRANSFER_INFO_V1, *PDMA_TRANSFER_INFO_V1;

typedef struct _DMA_TRANSFER_INFO_V2 {
    ULONG MapRegisterCount;
    ULONG ScatterGatherElementCount;
    ULONG ScatterGatherListSize;
    ULONG LogicalPageCount;
} DMA_TRANSFER_INFO_V2, *PDMA_TRANSFER_INFO_V2;

typedef struct _DMA_TRANSFER_INFO {
    ULONG Version;
    union {
        DMA_TRANSFER_INFO_V1 V1;
        DMA_TRANSFER_INFO_V2 V2;
    };
} DMA_TRANSFER_INFO, *PDMA_TRANSFER_INFO;

#define DMA_TRANSFER_CONTEXT_VERSION1       1
#define DMA_TRANSFER_CONTEXT_SIZE_V1        128
#define DMA_SYNCHRONOUS_CALLBACK            0x01

/* Granularity of 2 MiB.  The public documents give the flag no value. */
#define DOMAIN_COMMON_BUFFER_LARGE_PAGE     0x01
#define DOMAIN_COMMON_BUFFER_GRANULE        0x200000u

typedef enum _DMA_COMMON_BUFFER_VECTOR_ORDER {
    DmaCommonBufferVectorPhysical,
    DmaCommonBufferVectorLogical
} DMA_COMMON_BUFFER_VECTOR_ORDER;

typedef struct _DMA_COMMON_BUFFER_VECTOR DMA_COMMON_BUFFER_VECTOR;
typedef DMA_COMMON_BUFFER_VECTOR *PDMA_COMMON_BUFFER_VECTOR;

typedef VOID (NTAPI DMA_COMPLETION_ROUTINE3)(PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
                                             PVOID CompletionContext, DMA_COMPLETION_STATUS Status);
typedef DMA_COMPLETION_ROUTINE3 *PDMA_COMPLETION_ROUTINE3;

typedef NTSTATUS (NTAPI *PGET_DMA_ADAPTER_INFO)(PDMA_ADAPTER DmaAdapter, PDMA_ADAPTER_INFO AdapterInfo);

typedef NTSTATUS (NTAPI *PGET_DMA_TRANSFER_INFO)(PDMA_ADAPTER DmaAdapter, PMDL Mdl, ULONGLONG Offset,
                                                 ULONG Length, BOOLEAN WriteOnly,
                                                 PDMA_TRANSFER_INFO TransferInfo);

typedef NTSTATUS (NTAPI *PINITIALIZE_DMA_TRANSFER_CONTEXT)(PDMA_ADAPTER DmaAdapter,
                                                           PVOID DmaTransferContext);

/*
 * PASSIVE_LEVEL.  MaximumAddress: exclusive bound of the logical addresses, or
 * NULL.  PreferredNode: 0 to N - 1, or MM_ANY_NODE_OK.  Returns NULL if there
 * is no such memory.  The buffer is freed with FreeCommonBuffer.
 */
typedef PVOID (NTAPI *PALLOCATE_COMMON_BUFFER_EX)(PDMA_ADAPTER DmaAdapter, PPHYSICAL_ADDRESS MaximumAddress,
                                                  ULONG Length, PPHYSICAL_ADDRESS LogicalAddress,
                                                  BOOLEAN CacheEnabled, NODE_REQUIREMENT PreferredNode);

typedef NTSTATUS (NTAPI *PALLOCATE_ADAPTER_CHANNEL_EX)(PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
                                                       PVOID DmaTransferContext, ULONG NumberOfMapRegisters,
                                                       ULONG Flags, PDRIVER_CONTROL ExecutionRoutine,
                                                       PVOID ExecutionContext, PVOID *MapRegisterBase);

typedef NTSTATUS (NTAPI *PCONFIGURE_ADAPTER_CHANNEL)(PDMA_ADAPTER DmaAdapter, ULONG FunctionNumber,
                                                     PVOID Context);

typedef BOOLEAN (NTAPI *PCANCEL_ADAPTER_CHANNEL)(PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
                                                 PVOID DmaTransferContext);

typedef NTSTATUS (NTAPI *PMAP_TRANSFER_EX)(PDMA_ADAPTER DmaAdapter, PMDL Mdl, PVOID MapRegisterBase,
                                           ULONGLONG Offset, ULONG DeviceOffset, PULONG Length,
                                           BOOLEAN WriteToDevice, PSCATTER_GATHER_LIST ScatterGatherBuffer,
                                           ULONG ScatterGatherBufferLength,
                                           PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine,
                                           PVOID CompletionContext);

typedef NTSTATUS (NTAPI *PGET_SCATTER_GATHER_LIST_EX)(PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
                                                      PVOID DmaTransferContext, PMDL Mdl, ULONGLONG Offset,
                                                      ULONG Length, ULONG Flags,
                                                      PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context,
                                                      BOOLEAN WriteToDevice,
                                                      PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine,
                                                      PVOID CompletionContext,
                                                      PSCATTER_GATHER_LIST *ScatterGatherList);

typedef NTSTATUS (NTAPI *PBUILD_SCATTER_GATHER_LIST_EX)(PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
                                                        PVOID DmaTransferContext, PMDL Mdl, ULONGLONG Offset,
                                                        ULONG Length, ULONG Flags,
                                                        PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context,
                                                        BOOLEAN WriteToDevice, PVOID ScatterGatherBuffer,
                                                        ULONG ScatterGatherLength,
                                                        PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine,
                                                        PVOID CompletionContext, PVOID ScatterGatherList);

typedef NTSTATUS (NTAPI *PFLUSH_ADAPTER_BUFFERS_EX)(PDMA_ADAPTER DmaAdapter, PMDL Mdl, PVOID MapRegisterBase,
                                                    ULONGLONG Offset, ULONG Length, BOOLEAN WriteToDevice);

typedef VOID (NTAPI *PFREE_ADAPTER_OBJECT)(PDMA_ADAPTER DmaAdapter, IO_ALLOCATION_ACTION AllocationAction);

typedef NTSTATUS (NTAPI *PCANCEL_MAPPED_TRANSFER)(PDMA_ADAPTER DmaAdapter, PVOID DmaTransferContext);

typedef NTSTATUS (NTAPI *PALLOCATE_DOMAIN_COMMON_BUFFER)(PDMA_ADAPTER DmaAdapter, HANDLE DomainHandle,
                                                         PPHYSICAL_ADDRESS MaximumAddress, ULONG Length,
                                                         ULONG Flags, MEMORY_CACHING_TYPE *CacheType,
                                                         NODE_REQUIREMENT PreferredNode,
                                                         PPHYSICAL_ADDRESS LogicalAddress,
                                                         PVOID *VirtualAddress);

typedef NTSTATUS (NTAPI *PFLUSH_DMA_BUFFER)(PDMA_ADAPTER DmaAdapter, PMDL Mdl, BOOLEAN ReadOperation);

typedef NTSTATUS (NTAPI *PJOIN_DMA_DOMAIN)(PDMA_ADAPTER DmaAdapter, HANDLE DomainHandle);

typedef NTSTATUS (NTAPI *PLEAVE_DMA_DOMAIN)(PDMA_ADAPTER DmaAdapter);

typedef HANDLE (NTAPI *PGET_DMA_DOMAIN)(PDMA_ADAPTER DmaAdapter);

/*
 * As PALLOCATE_COMMON_BUFFER_EX.  MinimumAddress is inclusive.  CacheType: NULL
 * for the platform's default, else MmCached or MmNonCached.
 */
typedef PVOID (NTAPI *PALLOCATE_COMMON_BUFFER_WITH_BOUNDS)(PDMA_ADAPTER DmaAdapter,
                                                           PPHYSICAL_ADDRESS MinimumAddress,
                                                           PPHYSICAL_ADDRESS MaximumAddress, ULONG Length,
                                                           ULONG Flags, MEMORY_CACHING_TYPE *CacheType,
                                                           NODE_REQUIREMENT PreferredNode,
                                                           PPHYSICAL_ADDRESS LogicalAddress);

typedef NTSTATUS (NTAPI *PALLOCATE_COMMON_BUFFER_VECTOR)(PDMA_ADAPTER DmaAdapter, PHYSICAL_ADDRESS LowAddress,
                                                         PHYSICAL_ADDRESS HighAddress,
                                                         MEMORY_CACHING_TYPE CacheType, ULONG IdealNode,
                                                         ULONG Flags, ULONG NumberOfElements,
                                                         ULONGLONG SizeOfElements,
                                                         PDMA_COMMON_BUFFER_VECTOR *VectorOut);

typedef VOID (NTAPI *PGET_COMMON_BUFFER_FROM_VECTOR_BY_INDEX)(PDMA_ADAPTER DmaAdapter,
                                                              PDMA_COMMON_BUFFER_VECTOR Vector, ULONG Index,
                                                              PVOID *VirtualAddressOut,
                                                              PPHYSICAL_ADDRESS LogicalAddressOut);

typedef VOID (NTAPI *PFREE_COMMON_BUFFER_FROM_VECTOR)(PDMA_ADAPTER DmaAdapter,
                                                      PDMA_COMMON_BUFFER_VECTOR Vector, ULONG Index);

typedef VOID (NTAPI *PFREE_COMMON_BUFFER_VECTOR)(PDMA_ADAPTER DmaAdapter, PDMA_COMMON_BUFFER_VECTOR Vector);

typedef NTSTATUS (NTAPI *PCREATE_COMMON_BUFFER_FROM_MDL)(PDMA_ADAPTER DmaAdapter, PMDL Mdl, PVOID ExtendedConfigs,
                                                         ULONG ExtendedConfigsCount,
                                                         PPHYSICAL_ADDRESS LogicalAddress);

/* Size says where the table of this platform ends; see DMA_OPERATIONS_SIZE_. */
typedef struct _DMA_OPERATIONS3 {
    ULONG Size;
    PPUT_DMA_ADAPTER PutDmaAdapter;
    PALLOCATE_COMMON_BUFFER AllocateCommonBuffer;
    PFREE_COMMON_BUFFER FreeCommonBuffer;
    PALLOCATE_ADAPTER_CHANNEL AllocateAdapterChannel;
    PFLUSH_ADAPTER_BUFFERS FlushAdapterBuffers;
    PFREE_ADAPTER_CHANNEL FreeAdapterChannel;
    PFREE_MAP_REGISTERS FreeMapRegisters;
    PMAP_TRANSFER MapTransfer;
    PGET_DMA_ALIGNMENT GetDmaAlignment;
    PREAD_DMA_COUNTER ReadDmaCounter;
    PGET_SCATTER_GATHER_LIST GetScatterGatherList;
    PPUT_SCATTER_GATHER_LIST PutScatterGatherList;
    PCALCULATE_SCATTER_GATHER_LIST_SIZE CalculateScatterGatherList;
    PBUILD_SCATTER_GATHER_LIST BuildScatterGatherList;
    PBUILD_MDL_FROM_SCATTER_GATHER_LIST BuildMdlFromScatterGatherList;
    PGET_DMA_ADAPTER_INFO GetDmaAdapterInfo;
    PGET_DMA_TRANSFER_INFO GetDmaTransferInfo;
    PINITIALIZE_DMA_TRANSFER_CONTEXT InitializeDmaTransferContext;
    PALLOCATE_COMMON_BUFFER_EX AllocateCommonBufferEx;
    PALLOCATE_ADAPTER_CHANNEL_EX AllocateAdapterChannelEx;
    PCONFIGURE_ADAPTER_CHANNEL ConfigureAdapterChannel;
    PCANCEL_ADAPTER_CHANNEL CancelAdapterChannel;
    PMAP_TRANSFER_EX MapTransferEx;
    PGET_SCATTER_GATHER_LIST_EX GetScatterGatherListEx;
    PBUILD_SCATTER_GATHER_LIST_EX BuildScatterGatherListEx;
    PFLUSH_ADAPTER_BUFFERS_EX FlushAdapterBuffersEx;
    PFREE_ADAPTER_OBJECT FreeAdapterObject;
    PCANCEL_MAPPED_TRANSFER CancelMappedTransfer;
    PALLOCATE_DOMAIN_COMMON_BUFFER AllocateDomainCommonBuffer;
    PFLUSH_DMA_BUFFER FlushDmaBuffer;
    PJOIN_DMA_DOMAIN JoinDmaDomain;
    PLEAVE_DMA_DOMAIN LeaveDmaDomain;
    PGET_DMA_DOMAIN GetDmaDomain;
    PALLOCATE_COMMON_BUFFER_WITH_BOUNDS AllocateCommonBufferWithBounds;
    PALLOCATE_COMMON_BUFFER_VECTOR AllocateCommonBufferVector;
    PGET_COMMON_BUFFER_FROM_VECTOR_BY_INDEX GetCommonBufferFromVectorByIndex;
    PFREE_COMMON_BUFFER_FROM_VECTOR FreeCommonBufferFromVector;
    PFREE_COMMON_BUFFER_VECTOR FreeCommonBufferVector;
    PCREATE_COMMON_BUFFER_FROM_MDL CreateCommonBufferFromMdl;
} DMA_OPERATIONS3, *PDMA_OPERATIONS3;

/* Where the table of each interface version ends. */
#define DMA_OPERATIONS_SIZE_V1              0x068
#define DMA_OPERATIONS_SIZE_V2              0x080
#define DMA_OPERATIONS_SIZE_WIN8            0x0e8
#define DMA_OPERATIONS_SIZE_WIN10           0x110
#define DMA_OPERATIONS_SIZE_WIN10_1803      0x118
#define DMA_OPERATIONS_SIZE_WIN10_FULL      0x140

#define WDM3_AT(type, member, offset)                                       \
    _Static_assert(FIELD_OFFSET(type, member) == (offset), #type "." #member)

WDM3_AT(DMA_ADAPTER, Version, 0x00);
WDM3_AT(DMA_ADAPTER, Size, 0x02);
WDM3_AT(DMA_ADAPTER, DmaOperations, 0x08);
_Static_assert(sizeof(DMA_ADAPTER) == 0x10, "DMA_ADAPTER");

/* wdm.h's own and ours: drivers pass either, and the executive reads both. */
#define WDM3_IN_BOTH(member, offset)                                        \
    WDM3_AT(DEVICE_DESCRIPTION, member, offset);                            \
    WDM3_AT(DEVICE_DESCRIPTION3, member, offset)

WDM3_IN_BOTH(Version, 0x00);
WDM3_IN_BOTH(Master, 0x04);
WDM3_IN_BOTH(ScatterGather, 0x05);
WDM3_IN_BOTH(DemandMode, 0x06);
WDM3_IN_BOTH(AutoInitialize, 0x07);
WDM3_IN_BOTH(Dma32BitAddresses, 0x08);
WDM3_IN_BOTH(IgnoreCount, 0x09);
WDM3_IN_BOTH(Reserved1, 0x0a);
WDM3_IN_BOTH(Dma64BitAddresses, 0x0b);
WDM3_IN_BOTH(BusNumber, 0x0c);
WDM3_IN_BOTH(DmaChannel, 0x10);
WDM3_IN_BOTH(InterfaceType, 0x14);
WDM3_IN_BOTH(DmaWidth, 0x18);
WDM3_IN_BOTH(DmaSpeed, 0x1c);
WDM3_IN_BOTH(MaximumLength, 0x20);
WDM3_IN_BOTH(DmaPort, 0x24);
#undef WDM3_IN_BOTH
_Static_assert(sizeof(DEVICE_DESCRIPTION) == 0x28, "DEVICE_DESCRIPTION, versions 0 to 2");
WDM3_AT(DEVICE_DESCRIPTION3, DmaAddressWidth, 0x28);
WDM3_AT(DEVICE_DESCRIPTION3, DmaControllerInstance, 0x2c);
WDM3_AT(DEVICE_DESCRIPTION3, DmaRequestLine, 0x30);
WDM3_AT(DEVICE_DESCRIPTION3, DeviceAddress, 0x38);
_Static_assert(sizeof(DEVICE_DESCRIPTION3) == 0x40, "DEVICE_DESCRIPTION3");

WDM3_AT(DMA_ADAPTER_INFO, Version, 0x00);
WDM3_AT(DMA_ADAPTER_INFO, V1.ReadDmaCounterAvailable, 0x04);
WDM3_AT(DMA_ADAPTER_INFO, V1.ScatterGatherLimit, 0x08);
WDM3_AT(DMA_ADAPTER_INFO, V1.DmaAddressWidth, 0x0c);
WDM3_AT(DMA_ADAPTER_INFO, V1.Flags, 0x10);
WDM3_AT(DMA_ADAPTER_INFO, V1.MinimumTransferUnit, 0x14);
_Static_assert(sizeof(DMA_ADAPTER_INFO) == 0x18, "DMA_ADAPTER_INFO");
WDM3_AT(DMA_TRANSFER_INFO, Version, 0x00);
WDM3_AT(DMA_TRANSFER_INFO, V1.MapRegisterCount, 0x04);
WDM3_AT(DMA_TRANSFER_INFO, V1.ScatterGatherElementCount, 0x08);
WDM3_AT(DMA_TRANSFER_INFO, V1.ScatterGatherListSize, 0x0c);
WDM3_AT(DMA_TRANSFER_INFO, V2.LogicalPageCount, 0x10);
_Static_assert(sizeof(DMA_TRANSFER_INFO) == 0x14, "DMA_TRANSFER_INFO");

WDM3_AT(SCATTER_GATHER_ELEMENT, Address, 0x00);
WDM3_AT(SCATTER_GATHER_ELEMENT, Length, 0x08);
WDM3_AT(SCATTER_GATHER_ELEMENT, Reserved, 0x10);
_Static_assert(sizeof(SCATTER_GATHER_ELEMENT) == 0x18, "SCATTER_GATHER_ELEMENT");
WDM3_AT(SCATTER_GATHER_LIST, NumberOfElements, 0x00);
WDM3_AT(SCATTER_GATHER_LIST, Reserved, 0x08);
WDM3_AT(SCATTER_GATHER_LIST, Elements, 0x10);

/* wdm.h's own ends with version 2. */
WDM3_AT(DMA_OPERATIONS, Size, 0x000);
WDM3_AT(DMA_OPERATIONS, PutDmaAdapter, 0x008);
WDM3_AT(DMA_OPERATIONS, AllocateCommonBuffer, 0x010);
WDM3_AT(DMA_OPERATIONS, FreeCommonBuffer, 0x018);
WDM3_AT(DMA_OPERATIONS, AllocateAdapterChannel, 0x020);
WDM3_AT(DMA_OPERATIONS, FlushAdapterBuffers, 0x028);
WDM3_AT(DMA_OPERATIONS, FreeAdapterChannel, 0x030);
WDM3_AT(DMA_OPERATIONS, FreeMapRegisters, 0x038);
WDM3_AT(DMA_OPERATIONS, MapTransfer, 0x040);
WDM3_AT(DMA_OPERATIONS, GetDmaAlignment, 0x048);
WDM3_AT(DMA_OPERATIONS, ReadDmaCounter, 0x050);
WDM3_AT(DMA_OPERATIONS, GetScatterGatherList, 0x058);
WDM3_AT(DMA_OPERATIONS, PutScatterGatherList, 0x060);
WDM3_AT(DMA_OPERATIONS, CalculateScatterGatherList, 0x068);
WDM3_AT(DMA_OPERATIONS, BuildScatterGatherList, 0x070);
WDM3_AT(DMA_OPERATIONS, BuildMdlFromScatterGatherList, 0x078);
_Static_assert(sizeof(DMA_OPERATIONS) == DMA_OPERATIONS_SIZE_V2, "DMA_OPERATIONS");
WDM3_AT(DMA_OPERATIONS3, Size, 0x000);
WDM3_AT(DMA_OPERATIONS3, PutDmaAdapter, 0x008);
WDM3_AT(DMA_OPERATIONS3, AllocateCommonBuffer, 0x010);
WDM3_AT(DMA_OPERATIONS3, FreeCommonBuffer, 0x018);
WDM3_AT(DMA_OPERATIONS3, AllocateAdapterChannel, 0x020);
WDM3_AT(DMA_OPERATIONS3, FlushAdapterBuffers, 0x028);
WDM3_AT(DMA_OPERATIONS3, FreeAdapterChannel, 0x030);
WDM3_AT(DMA_OPERATIONS3, FreeMapRegisters, 0x038);
WDM3_AT(DMA_OPERATIONS3, MapTransfer, 0x040);
WDM3_AT(DMA_OPERATIONS3, GetDmaAlignment, 0x048);
WDM3_AT(DMA_OPERATIONS3, ReadDmaCounter, 0x050);
WDM3_AT(DMA_OPERATIONS3, GetScatterGatherList, 0x058);
WDM3_AT(DMA_OPERATIONS3, PutScatterGatherList, 0x060);
WDM3_AT(DMA_OPERATIONS3, CalculateScatterGatherList, 0x068);
WDM3_AT(DMA_OPERATIONS3, BuildScatterGatherList, 0x070);
WDM3_AT(DMA_OPERATIONS3, BuildMdlFromScatterGatherList, 0x078);
WDM3_AT(DMA_OPERATIONS3, GetDmaAdapterInfo, 0x080);
WDM3_AT(DMA_OPERATIONS3, GetDmaTransferInfo, 0x088);
WDM3_AT(DMA_OPERATIONS3, InitializeDmaTransferContext, 0x090);
WDM3_AT(DMA_OPERATIONS3, AllocateCommonBufferEx, 0x098);
WDM3_AT(DMA_OPERATIONS3, AllocateAdapterChannelEx, 0x0a0);
WDM3_AT(DMA_OPERATIONS3, ConfigureAdapterChannel, 0x0a8);
WDM3_AT(DMA_OPERATIONS3, CancelAdapterChannel, 0x0b0);
WDM3_AT(DMA_OPERATIONS3, MapTransferEx, 0x0b8);
WDM3_AT(DMA_OPERATIONS3, GetScatterGatherListEx, 0x0c0);
WDM3_AT(DMA_OPERATIONS3, BuildScatterGatherListEx, 0x0c8);
WDM3_AT(DMA_OPERATIONS3, FlushAdapterBuffersEx, 0x0d0);
WDM3_AT(DMA_OPERATIONS3, FreeAdapterObject, 0x0d8);
WDM3_AT(DMA_OPERATIONS3, CancelMappedTransfer, 0x0e0);
WDM3_AT(DMA_OPERATIONS3, AllocateDomainCommonBuffer, 0x0e8);
WDM3_AT(DMA_OPERATIONS3, FlushDmaBuffer, 0x0f0);
WDM3_AT(DMA_OPERATIONS3, JoinDmaDomain, 0x0f8);
WDM3_AT(DMA_OPERATIONS3, LeaveDmaDomain, 0x100);
WDM3_AT(DMA_OPERATIONS3, GetDmaDomain, 0x108);
WDM3_AT(DMA_OPERATIONS3, AllocateCommonBufferWithBounds, 0x110);
WDM3_AT(DMA_OPERATIONS3, AllocateCommonBufferVector, 0x118);
WDM3_AT(DMA_OPERATIONS3, GetCommonBufferFromVectorByIndex, 0x120);
WDM3_AT(DMA_OPERATIONS3, FreeCommonBufferFromVector, 0x128);
WDM3_AT(DMA_OPERATIONS3, FreeCommonBufferVector, 0x130);
WDM3_AT(DMA_OPERATIONS3, CreateCommonBufferFromMdl, 0x138);
_Static_assert(sizeof(DMA_OPERATIONS3) == DMA_OPERATIONS_SIZE_WIN10_FULL, "DMA_OPERATIONS3");

/* Each table ends with the last routine of its platform. */
#define WDM3_ENDS_WITH(size, member)                                        \
    _Static_assert(RTL_SIZEOF_THROUGH_FIELD(DMA_OPERATIONS3, member) == (size), #member)

WDM3_ENDS_WITH(DMA_OPERATIONS_SIZE_V1, PutScatterGatherList);
WDM3_ENDS_WITH(DMA_OPERATIONS_SIZE_V2, BuildMdlFromScatterGatherList);
WDM3_ENDS_WITH(DMA_OPERATIONS_SIZE_WIN8, CancelMappedTransfer);
WDM3_ENDS_WITH(DMA_OPERATIONS_SIZE_WIN10, GetDmaDomain);
WDM3_ENDS_WITH(DMA_OPERATIONS_SIZE_WIN10_1803, AllocateCommonBufferWithBounds);
WDM3_ENDS_WITH(DMA_OPERATIONS_SIZE_WIN10_FULL, CreateCommonBufferFromMdl);

#endif /* PCMASTER_WDM3_H */
