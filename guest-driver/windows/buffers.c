/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: adapters and common buffers */
#include "pcmaster.h"

/* What a bus master's description is not looked at for, in any version. */
static void describe_ignored(PDEVICE_DESCRIPTION3 to)
{
    to->AutoInitialize = TRUE;
    to->BusNumber = 0xdead;
    to->DmaChannel = 5;
    to->DmaWidth = Width8Bits;
    to->DmaSpeed = TypeC;
    to->DmaPort = 7;
    to->DmaControllerInstance = 3;
    to->DmaRequestLine = 11;
    to->DeviceAddress.QuadPart = 0x1234;
}

void describe(const struct pcm_description *from, PDEVICE_DESCRIPTION3 to)
{
    RtlZeroMemory(to, sizeof(*to));
    to->Version = from->version;
    to->Master = !(from->flags & PCM_DESCRIBE_SUBORDINATE);
    to->ScatterGather = !!(from->flags & PCM_DESCRIBE_SCATTER_GATHER);
    to->Dma32BitAddresses = !!(from->flags & PCM_DESCRIBE_DMA32);
    to->Dma64BitAddresses = !!(from->flags & PCM_DESCRIBE_DMA64);
    to->InterfaceType = from->flags & PCM_DESCRIBE_ISA       ? Isa
                        : from->flags & PCM_DESCRIBE_ANY_BUS ? InterfaceTypeUndefined
                                                             : PCIBus;
    if (from->flags & PCM_DESCRIBE_IGNORED) {
        describe_ignored(to);
    }
    to->MaximumLength = from->maximum_length;
    to->DmaAddressWidth = from->address_width;
}

void adapter_open(struct device *device, struct adapter *adapter, const struct pcm_description *from,
                  ULONG *map_registers)
{
    DEVICE_DESCRIPTION3 description;

    describe(from, &description);
    *map_registers = 0;
    adapter->version = from->version;
    adapter->dma = IoGetDmaAdapter(device->physical, (PDEVICE_DESCRIPTION)&description, map_registers);
}

void adapter_close(struct adapter *adapter)
{
    adapter->dma->DmaOperations->PutDmaAdapter(adapter->dma);
    adapter->dma = NULL;
}

PDMA_OPERATIONS3 operations3(const struct adapter *adapter, ULONG size)
{
    PDMA_OPERATIONS3 operations = (PDMA_OPERATIONS3)adapter->dma->DmaOperations;

    return adapter->version >= DEVICE_DESCRIPTION_VERSION3 && operations->Size >= size ? operations
                                                                                       : NULL;
}

enum pcm_allocator adapter_best_allocator(const struct adapter *adapter)
{
    return OPERATIONS3(adapter, AllocateCommonBufferWithBounds)
               ? PCM_ALLOCATE_COMMON_BUFFER_WITH_BOUNDS
           : OPERATIONS3(adapter, AllocateCommonBufferEx) ? PCM_ALLOCATE_COMMON_BUFFER_EX
                                                          : PCM_ALLOCATE_COMMON_BUFFER;
}

static PVOID allocate_plain(const struct adapter *adapter, const struct pcm_allocate *request,
                            PPHYSICAL_ADDRESS logical)
{
    return adapter->dma->DmaOperations->AllocateCommonBuffer(
        adapter->dma, request->length, logical, !!(request->flags & PCM_ALLOCATE_CACHED));
}

static PVOID allocate_ex(const struct adapter *adapter, const struct pcm_allocate *request,
                         PPHYSICAL_ADDRESS logical)
{
    PHYSICAL_ADDRESS maximum;

    maximum.QuadPart = (LONGLONG)request->maximum;
    return OPERATIONS3(adapter, AllocateCommonBufferEx)
        ->AllocateCommonBufferEx(adapter->dma,
                                 request->flags & PCM_ALLOCATE_HAS_MAXIMUM ? &maximum : NULL,
                                 request->length, logical, !!(request->flags & PCM_ALLOCATE_CACHED),
                                 request->node);
}

static PVOID allocate_with_bounds(const struct adapter *adapter, const struct pcm_allocate *request,
                                  PPHYSICAL_ADDRESS logical)
{
    MEMORY_CACHING_TYPE cache = (MEMORY_CACHING_TYPE)request->cache_type;
    PHYSICAL_ADDRESS minimum, maximum;

    minimum.QuadPart = (LONGLONG)request->minimum;
    maximum.QuadPart = (LONGLONG)request->maximum;
    return OPERATIONS3(adapter, AllocateCommonBufferWithBounds)
        ->AllocateCommonBufferWithBounds(
            adapter->dma, request->flags & PCM_ALLOCATE_HAS_MINIMUM ? &minimum : NULL,
            request->flags & PCM_ALLOCATE_HAS_MAXIMUM ? &maximum : NULL, request->length,
            request->flags & PCM_ALLOCATE_LARGE_PAGE ? DOMAIN_COMMON_BUFFER_LARGE_PAGE : 0,
            request->flags & PCM_ALLOCATE_HAS_CACHE_TYPE ? &cache : NULL, request->node, logical);
}

static NTSTATUS allocate_of_domain(const struct adapter *adapter, const struct pcm_allocate *request,
                                   PPHYSICAL_ADDRESS logical, PVOID *address)
{
    PDMA_OPERATIONS3 operations = OPERATIONS3(adapter, GetDmaDomain);
    MEMORY_CACHING_TYPE cache = (MEMORY_CACHING_TYPE)request->cache_type;
    HANDLE domain = operations->GetDmaDomain(adapter->dma);
    PHYSICAL_ADDRESS maximum;

    maximum.QuadPart = (LONGLONG)request->maximum;
    return operations->AllocateDomainCommonBuffer(
        adapter->dma, request->flags & PCM_ALLOCATE_WRONG_DOMAIN ? &maximum : domain,
        request->flags & PCM_ALLOCATE_HAS_MAXIMUM ? &maximum : NULL, request->length,
        request->flags & PCM_ALLOCATE_LARGE_PAGE ? DOMAIN_COMMON_BUFFER_LARGE_PAGE : 0,
        request->flags & PCM_ALLOCATE_HAS_CACHE_TYPE ? &cache : NULL, request->node, logical, address);
}

/* What FreeCommonBuffer must be told; x64 is coherent, so that the default is cached. */
static BOOLEAN is_cached(const struct pcm_allocate *request)
{
    if (request->allocator <= PCM_ALLOCATE_COMMON_BUFFER_EX) {
        return !!(request->flags & PCM_ALLOCATE_CACHED);
    }
    return !(request->flags & PCM_ALLOCATE_HAS_CACHE_TYPE) ||
           request->cache_type == PCM_CACHE_CACHED;
}

static BOOLEAN has_allocator(const struct adapter *adapter, ULONG allocator)
{
    return allocator == PCM_ALLOCATE_DOMAIN_COMMON_BUFFER
               ? OPERATIONS3(adapter, GetDmaDomain) != NULL
               : allocator <= (ULONG)adapter_best_allocator(adapter);
}

/* The routine's status, or what stands for NULL if it has none. */
static NTSTATUS allocate_with(const struct adapter *adapter, const struct pcm_allocate *request,
                              PPHYSICAL_ADDRESS logical, PVOID *address)
{
    static PVOID (*const allocators[PCM_ALLOCATORS])(const struct adapter *adapter,
                                                     const struct pcm_allocate *request,
                                                     PPHYSICAL_ADDRESS logical) = {
        [PCM_ALLOCATE_COMMON_BUFFER] = allocate_plain,
        [PCM_ALLOCATE_COMMON_BUFFER_EX] = allocate_ex,
        [PCM_ALLOCATE_COMMON_BUFFER_WITH_BOUNDS] = allocate_with_bounds,
    };

    if (request->allocator == PCM_ALLOCATE_DOMAIN_COMMON_BUFFER) {
        return allocate_of_domain(adapter, request, logical, address);
    }
    *address = allocators[request->allocator](adapter, request, logical);
    return *address ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS buffer_open(struct adapter *adapter, const struct pcm_allocate *request, struct buffer *buffer)
{
    PHYSICAL_ADDRESS logical;
    PVOID address = NULL;
    NTSTATUS status;

    if (!has_allocator(adapter, request->allocator)) {
        return STATUS_NOT_SUPPORTED;
    }
    logical.QuadPart = 0;
    status = allocate_with(adapter, request, &logical, &address);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    buffer->cached = is_cached(request);
    buffer->memory.address = address;
    buffer->memory.logical = (ULONGLONG)logical.QuadPart;
    buffer->memory.length = request->length;
    buffer->adapter = adapter;
    InterlockedIncrement(&adapter->buffers);
    return STATUS_SUCCESS;
}

void buffer_close(struct buffer *buffer)
{
    PDMA_ADAPTER dma = buffer->adapter->dma;
    PHYSICAL_ADDRESS logical;

    logical.QuadPart = (LONGLONG)buffer->memory.logical;
    dma->DmaOperations->FreeCommonBuffer(dma, buffer->memory.length, logical, buffer->memory.address,
                                         buffer->cached);
    buffer->memory.address = NULL;
    InterlockedDecrement(&buffer->adapter->buffers);
}

ULONG count_nonzero(const UCHAR *address, ULONG length)
{
    ULONG i = 0, count = 0;

    while (i < length) {
        if (length - i >= 8 && !*(const ULONGLONG *)(address + i)) {
            i += 8;
        } else {
            count += address[i++] != 0;
        }
    }
    return count;
}

/* A driver that finds a member in the table may call it. */
static ULONG count_null_members(const DMA_OPERATIONS *operations)
{
    const PVOID *members = (const PVOID *)operations;
    ULONG i, count = 0;

    for (i = 1; i < operations->Size / sizeof(*members); i++) {
        count += !members[i];
    }
    return count;
}

/* mingw-w64's wdm.h lacks what Microsoft's has. */
NTKERNELAPI PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(PVOID BaseAddress);

ULONGLONG physical_of(PVOID address)
{
    return (ULONGLONG)MmGetPhysicalAddress(address).QuadPart;
}

/* Pieces of physically contiguous memory. */
static ULONG count_runs(const struct memory *memory)
{
    ULONGLONG previous = physical_of(memory->address), next;
    ULONG runs = 1, at;

    for (at = PAGE_SIZE; at < memory->length && at; at += PAGE_SIZE) {
        next = physical_of(memory->address + at);
        runs += next != previous + PAGE_SIZE;
        previous = next;
    }
    return runs;
}

NTSTATUS control_adapter_get(struct device *device, struct file *file, PVOID data)
{
    struct pcm_description request = *(struct pcm_description *)data;
    struct pcm_adapter *reply = data;
    struct adapter *adapter = pool_allocate(sizeof(*adapter));
    ULONG map_registers;

    if (!adapter) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    adapter_open(device, adapter, &request, &map_registers);
    if (!adapter->dma) {
        ExFreePoolWithTag(adapter, PCM_POOL_TAG);
        return STATUS_SUCCESS;
    }
    if (!handle_add(file, &adapter->object, OBJECT_ADAPTER)) {
        adapter_close(adapter);
        ExFreePoolWithTag(adapter, PCM_POOL_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    reply->handle = adapter->object.handle;
    reply->map_registers = map_registers;
    reply->adapter_version = adapter->dma->Version;
    reply->operations_size = adapter->dma->DmaOperations->Size;
    reply->alignment = adapter->dma->DmaOperations->GetDmaAlignment(adapter->dma);
    reply->has_allocate_ex = OPERATIONS3(adapter, AllocateCommonBufferEx) != NULL;
    reply->null_members = count_null_members(adapter->dma->DmaOperations);
    return STATUS_SUCCESS;
}

static void adapter_destroy(struct file *file, struct adapter *adapter)
{
    adapter_close(adapter);
    handle_remove(file, &adapter->object);
    ExFreePoolWithTag(adapter, PCM_POOL_TAG);
}

NTSTATUS control_adapter_put(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_object *request = data;
    struct adapter *adapter = (struct adapter *)handle_find(file, request->handle, OBJECT_ADAPTER);

    PCM_UNUSED(device);
    if (!adapter) {
        return STATUS_INVALID_HANDLE;
    }
    if (adapter->buffers) {
        return STATUS_DEVICE_BUSY;
    }
    adapter_destroy(file, adapter);
    return STATUS_SUCCESS;
}

NTSTATUS control_allocate(struct device *device, struct file *file, PVOID data)
{
    struct pcm_allocate request = *(struct pcm_allocate *)data;
    struct pcm_allocated *reply = data;
    struct adapter *adapter = (struct adapter *)handle_find(file, request.adapter, OBJECT_ADAPTER);
    struct buffer *buffer;
    NTSTATUS status;

    PCM_UNUSED(device);
    if (!adapter || request.allocator >= PCM_ALLOCATORS) {
        return adapter ? STATUS_INVALID_PARAMETER : STATUS_INVALID_HANDLE;
    }
    buffer = pool_allocate(sizeof(*buffer));
    if (!buffer || !handle_add(file, &buffer->object, OBJECT_BUFFER)) {
        if (buffer) {
            ExFreePoolWithTag(buffer, PCM_POOL_TAG);
        }
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    status = buffer_open(adapter, &request, buffer);
    reply->status = (uint32_t)status;
    if (!NT_SUCCESS(status)) {
        handle_remove(file, &buffer->object);
        ExFreePoolWithTag(buffer, PCM_POOL_TAG);
        return status == STATUS_NOT_SUPPORTED ? status : STATUS_SUCCESS;
    }
    reply->handle = buffer->object.handle;
    reply->logical = buffer->memory.logical;
    reply->physical = physical_of(buffer->memory.address);
    reply->page_offset = (ULONG)((ULONG_PTR)buffer->memory.address % PAGE_SIZE);
    if (request.flags & PCM_ALLOCATE_SCAN) {
        reply->runs = count_runs(&buffer->memory);
        reply->nonzero = count_nonzero(buffer->memory.address, buffer->memory.length);
    }
    return STATUS_SUCCESS;
}

static void buffer_destroy(struct file *file, struct buffer *buffer)
{
    buffer_close(buffer);
    handle_remove(file, &buffer->object);
    ExFreePoolWithTag(buffer, PCM_POOL_TAG);
}

NTSTATUS control_free(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_object *request = data;
    struct buffer *buffer = (struct buffer *)handle_find(file, request->handle, OBJECT_BUFFER);

    PCM_UNUSED(device);
    if (!buffer) {
        return STATUS_INVALID_HANDLE;
    }
    buffer_destroy(file, buffer);
    return STATUS_SUCCESS;
}

void buffers_release(struct file *file)
{
    struct object *object;

    while ((object = handle_any(file, OBJECT_BUFFER))) {
        buffer_destroy(file, (struct buffer *)object);
    }
}

void adapters_release(struct file *file)
{
    struct object *object;

    while ((object = handle_any(file, OBJECT_ADAPTER))) {
        adapter_destroy(file, (struct adapter *)object);
    }
}
