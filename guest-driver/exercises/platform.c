/* SPDX-License-Identifier: MIT */
/* The exercises: which Windows the guest is, or is like */
#include "run.h"

static const struct {
    const char *name;
    const char *title;
} platforms[PLATFORMS] = {
    [WINDOWS_7] = { "win7", "Windows 7" },
    [WINDOWS_8] = { "win8", "Windows 8" },
    [WINDOWS_10] = { "win10", "Windows 10" },
};

enum platform platform_find(const char *name)
{
    uint32_t i;

    for (i = 0; name && i < PLATFORMS; i++) {
        if (text_equal(platforms[i].name, name)) {
            break;
        }
    }
    return name ? (enum platform)i : PLATFORMS - 1;
}

static bool lacks(struct run *run, const char *what)
{
    skipped(run, "%s has no %s", platforms[run->platform].title, what);
    return false;
}

/* Version 2 has no width of its own: two flags stand for 64, 32 and 24 bits. */
static bool describe_without_width(struct run *run, struct request *request)
{
    if (request->width != 64 && request->width != 32 && request->width != 24) {
        skipped(run, "%s has no description of %u address bits", platforms[run->platform].title,
                request->width);
        return false;
    }
    request->legacy = 2 + 1;
    request->describe |= request->width == 64   ? PCM_DESCRIBE_DMA64
                         : request->width == 32 ? PCM_DESCRIBE_DMA32
                                                : 0;
    return true;
}

bool platform_adapt(struct run *run, struct request *request)
{
    static const char *const since_windows_10[ALLOCATORS] = {
        [WITH_BOUNDS] = "AllocateCommonBufferWithBounds",
        [OF_DOMAIN] = "AllocateDomainCommonBuffer",
        [VECTOR] = "AllocateCommonBufferVector",
    };

    if (request->any_platform) {
        return true;
    }
    if (since_windows_10[request->allocator] && run->platform < WINDOWS_10) {
        return lacks(run, since_windows_10[request->allocator]);
    }
    if (request->allocator == PACKET && run->platform < packet_platform(request->packet)) {
        return lacks(run, packet_routine(request->packet));
    }
    if (request->legacy || run->platform >= WINDOWS_8) {
        return true;
    }
    /* A scatter/gather bus master on PCI reaches 32 bits whatever it says. */
    if (request->allocator == PACKET && request->width == 24 && !request->packet->single) {
        return lacks(run, "description of 24 address bits with scatter/gather");
    }
    return request->allocator == CHANNEL || request->allocator == PACKET
               ? describe_without_width(run, request)
               : lacks(run, "version 3 of the DMA interface");
}
