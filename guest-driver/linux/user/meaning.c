/* SPDX-License-Identifier: MIT */
/* pcmaster-exercises for Linux: which exercises mean nothing there, and why */
#include "client.h"
#include "run.h"

#define NT_OBJECT   "an object of Windows' DMA interface, of which Linux has none"
#define NO_MINIMUM  "Linux' DMA API knows no lowest address; without one, limit/ and node/ ask for the same"
#define WHOLE_BITS  "Linux' DMA API knows limits of whole address bits, so the node cannot be kept below this one"
#define STREAMING   "the device node allocates memory; it maps none of others"
#define NOT_ALONE   "Linux' free memory is not ours alone: what fits is not the same twice"

/* Behind an IOMMU a small machine must give a buffer that is larger than a node. */
static bool gives_a_node(const struct client *client)
{
    return client->iommu && client->memory <= MEMORY_MOST_MIB;
}

static const struct {
    const char *names;              /* * and ? are wild; the first that matches counts */
    const char *why;                /* NULL: they do mean something */
} meaningless[] = {
    { "adapter/*", NT_OBJECT },
    { "driver/refusals", "about the Windows driver's commands; --check-node is about the device node's" },
    { "implied/*", "about versions of Windows' description of a device" },
    { "bounds/*", NO_MINIMUM },
    { "vector/*", NT_OBJECT },
    { "domain/*", NT_OBJECT },
    { "channel/*", NT_OBJECT },
    { "bounce/*", STREAMING },
    { "list/*", STREAMING },
    { "map/*", STREAMING },
    { "mdl/*", STREAMING },
    { "iommu/scattered*", NOT_ALONE },
    { "iommu/physical-address", NULL },
    { "iommu/*", STREAMING },
    { "node/first-64k", WHOLE_BITS },
    { "node/part-of-a-page", WHOLE_BITS },
    { "queue/*", "Linux has no queue for map registers" },
    { "pnp/*", "tests/linux unplugs the card" },
    { "power/*", "tests/linux suspends the system" },
    { "slave/*", "system DMA is the business of ISA devices; the card is a bus master" },
    { "pressure/*", NOT_ALONE },
};

const char *no_meaning(void *context, const char *name)
{
    const struct client *client = context;
    size_t i;

    if (text_equal(name, "length/over-node") && gives_a_node(client)) {
        return "the device node gives buffers of 64 MiB at most";
    }
    for (i = 0; i < sizeof(meaningless) / sizeof(meaningless[0]); i++) {
        if (text_matches(meaningless[i].names, name)) {
            return meaningless[i].why;
        }
    }
    return NULL;
}
