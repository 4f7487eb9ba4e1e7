/*
 * pcmaster: on which NUMA node memory is, by QEMU's own tables
 *
 * A node's memory is a backend of its own, or a part of the machine's one
 * block of RAM, in which the nodes follow each other; memory devices that are
 * plugged in belong to a node, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/boards.h"
#include "hw/mem/memory-device.h"
#include "hw/pci/pci_bus.h"
#include "system/hostmem.h"
#include "system/numa.h"
#include "pcmaster.h"

typedef struct PcmNodeSearch {
    uint32_t node;
    uint64_t lowest;
} PcmNodeSearch;

uint32_t pcm_node_count(void)
{
    NumaState *numa = current_machine->numa_state;

    return numa && numa->num_nodes ? numa->num_nodes : 1;
}

uint32_t pcm_node_of_device(PCIDevice *dev)
{
    int node = pci_bus_numa_node(pci_device_root_bus(dev));

    return node == NUMA_NODE_UNASSIGNED ? PCM_NODE_ANY : node;
}

uint32_t pcm_node_distance(PCIDevice *dev, uint32_t node)
{
    NumaState *numa = current_machine->numa_state;
    uint32_t from;

    if (!numa || !numa->have_numa_distance || node >= numa->num_nodes) {
        return 0;
    }
    from = pcm_node_of_device(dev);
    return from < numa->num_nodes ? numa->nodes[from].distance[node] : 0;
}

/* Nodes that are parts of the machine's RAM. */
static uint32_t node_of_machine_ram(hwaddr offset, hwaddr *run)
{
    NumaState *numa = current_machine->numa_state;

    if (!numa || !numa->num_nodes) {
        return 0;
    }
    for (int i = 0; i < numa->num_nodes; i++) {
        uint64_t size = numa->nodes[i].node_mem;

        if (offset < size) {
            *run = MIN(*run, size - offset);
            return i;
        }
        offset -= size;
    }
    return PCM_NODE_ANY;
}

typedef struct PcmDeviceSearch {
    Object *backend;
    uint32_t node;
} PcmDeviceSearch;

/* Stops at the memory device that has the backend. */
static int find_device_of_backend(Object *obj, void *opaque)
{
    PcmDeviceSearch *search = opaque;

    if (!object_dynamic_cast(obj, TYPE_MEMORY_DEVICE) ||
        !object_property_find(obj, "node") ||
        !object_property_find(obj, "memdev") ||
        object_property_get_link(obj, "memdev", NULL) != search->backend) {
        return 0;
    }
    search->node = object_property_get_uint(obj, "node", &error_abort);
    return 1;
}

/* Most memory that is on no node is no backend's: it is told apart fast. */
static uint32_t node_of_memory_device(const MemoryRegion *mr)
{
    PcmDeviceSearch search = { .backend = mr->owner, .node = PCM_NODE_ANY };

    if (current_machine->device_memory && mr->owner &&
        object_dynamic_cast(mr->owner, TYPE_MEMORY_BACKEND)) {
        object_child_foreach_recursive(OBJECT(current_machine),
                                       find_device_of_backend, &search);
    }
    return search.node;
}

uint32_t pcm_node_of_memory(const MemoryRegion *mr, hwaddr offset,
                            hwaddr *run)
{
    NumaState *numa = current_machine->numa_state;

    if (mr == current_machine->ram) {
        return node_of_machine_ram(offset, run);
    }
    for (int i = 0; numa && i < numa->num_nodes; i++) {
        HostMemoryBackend *backend = numa->nodes[i].node_memdev;

        if (backend && host_memory_backend_get_memory(backend) == mr) {
            return i;
        }
    }
    return node_of_memory_device(mr);
}

static bool find_node_in_range(Int128 start, Int128 len,
                               const MemoryRegion *mr, hwaddr offset,
                               void *opaque)
{
    PcmNodeSearch *search = opaque;
    hwaddr left;

    if (!mr->ram) {
        return false;
    }
    left = int128_get64(len);
    for (hwaddr done = 0; done < left; ) {
        hwaddr run = left - done;

        if (pcm_node_of_memory(mr, offset + done, &run) == search->node) {
            search->lowest = int128_get64(start) + done;
            return true;
        }
        done += run;
    }
    return false;
}

uint64_t pcm_node_lowest(uint32_t node)
{
    PcmNodeSearch search = { .node = node, .lowest = UINT64_MAX };

    RCU_READ_LOCK_GUARD();
    flatview_for_each_range(address_space_to_flatview(&address_space_memory),
                            find_node_in_range, &search);
    return search.lowest;
}
