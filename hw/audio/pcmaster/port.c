/*
 * pcmaster: the state of the DMA port's registers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/host-utils.h"
#include "pcmaster.h"

bool pcm_align_valid(uint64_t align)
{
    return align <= PCM_ALIGN_MAX && is_power_of_2(align);
}

bool pcm_burst_valid(uint64_t burst)
{
    return !burst || (burst >= PCM_BURST_MIN && burst <= PCM_BURST_MAX &&
                      is_power_of_2(burst));
}

static bool windows_valid(const PcmasterState *s)
{
    for (unsigned i = 0; i < PCM_WINDOW_COUNT; i++) {
        if (s->windows[i].ctrl & ~PCM_W_ALL) {
            return false;
        }
    }
    return true;
}

bool pcm_port_registers_valid(const PcmasterState *s)
{
    return windows_valid(s) &&
           s->addr_bits >= PCM_ADDR_BITS_MIN &&
           s->addr_bits <= s->hw.addr_bits &&
           pcm_align_valid(s->align) && s->align >= s->hw.align &&
           pcm_align_valid(s->grain) && s->grain >= s->hw.grain &&
           pcm_burst_valid(s->burst) &&
           (!s->hw.burst || (s->burst && s->burst <= s->hw.burst)) &&
           (s->hw.node == PCM_NODE_ANY || s->node == s->hw.node) &&
           pcm_policies_valid(s->policy);
}

void pcm_port_reset(PcmasterState *s)
{
    s->addr_bits = s->hw.addr_bits;
    s->limit = UINT64_MAX;
    s->boundary = PCM_BOUNDARY_NONE;
    s->align = s->hw.align;
    s->grain = s->hw.grain;
    s->burst = s->hw.burst;
    s->node = s->hw.node;
    s->policy = 0;
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        uint32_t policy = pcm_port_hw_policy(&s->hw, rule);

        s->policy |= policy << PCM_POLICY_SHIFT(rule);
    }
    memset(s->windows, 0, sizeof(s->windows));
    s->windows_enabled = 0;
}

void pcm_port_update_window(PcmasterState *s, unsigned number)
{
    s->windows_enabled = deposit64(s->windows_enabled, number, 1,
                                   !!(s->windows[number].ctrl &
                                      PCM_W_ENABLE));
}

void pcm_port_update_windows(PcmasterState *s)
{
    for (unsigned i = 0; i < PCM_WINDOW_COUNT; i++) {
        pcm_port_update_window(s, i);
    }
}
