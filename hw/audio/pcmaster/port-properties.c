/*
 * pcmaster: what the DMA port of this device can do, by its properties
 *
 * A driver can ask for less, never for more: the registers say what holds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qapi/error.h"
#include "qapi/util.h"
#include "qapi/visitor.h"
#include "pcmaster.h"

#define PCM_BOUNDARY_MIN    16
#define PCM_BOUNDARY_MAX    (4 * GiB)

static const QEnumLookup policy_lookup = {
    .array = pcm_policy_names,
    .size = PCM_POLICY_RECORD + 1,
};

uint64_t pcm_port_hw_mask(const PcmHardware *hw)
{
    return hw->boundary ? hw->boundary - 1 : hw->boundary_mask;
}

/* --- Checks ------------------------------------------------------------- */

static bool check_reach(const PcmHardware *hw, Error **errp)
{
    if (hw->addr_bits < PCM_ADDR_BITS_MIN ||
        hw->addr_bits > PCM_ADDR_BITS_MAX) {
        error_setg(errp, "addr-bits must be %u to %u, not %u",
                   PCM_ADDR_BITS_MIN, PCM_ADDR_BITS_MAX, hw->addr_bits);
        return false;
    }
    if (hw->boundary && (hw->boundary < PCM_BOUNDARY_MIN ||
                         hw->boundary > PCM_BOUNDARY_MAX ||
                         !is_power_of_2(hw->boundary))) {
        error_setg(errp, "boundary must be 0 or a power of two, 16 to 4G, "
                   "not 0x%" PRIx64, hw->boundary);
        return false;
    }
    if (hw->boundary && hw->boundary_mask != PCM_BOUNDARY_NONE) {
        error_setg(errp, "boundary and boundary-mask exclude each other");
        return false;
    }
    if (hw->node != PCM_NODE_ANY && hw->node >= pcm_node_count()) {
        error_setg(errp, "node %" PRIu32 " is not there: the machine has %"
                   PRIu32, hw->node, pcm_node_count());
        return false;
    }
    return true;
}

static bool check_align(const char *name, uint32_t align, Error **errp)
{
    if (!pcm_align_valid(align)) {
        error_setg(errp, "%s must be a power of two, 1 to %u, not %" PRIu32,
                   name, PCM_ALIGN_MAX, align);
        return false;
    }
    return true;
}

static bool check_burst(const PcmHardware *hw, Error **errp)
{
    if (!pcm_burst_valid(hw->burst)) {
        error_setg(errp, "burst must be 0 or a power of two, %u to %u, not %"
                   PRIu32, PCM_BURST_MIN, PCM_BURST_MAX, hw->burst);
        return false;
    }
    return true;
}

bool pcm_port_check_properties(const PcmHardware *hw, Error **errp)
{
    return check_reach(hw, errp) && check_align("align", hw->align, errp) &&
           check_align("grain", hw->grain, errp) && check_burst(hw, errp);
}

/* --- Policies ----------------------------------------------------------- */

int pcm_port_hw_policy(const PcmHardware *hw, unsigned rule)
{
    return hw->rule_policy[rule] == PCM_POLICY_INHERITED ?
           hw->policy : hw->rule_policy[rule];
}

/* @opaque: the rule's number, or PCM_RULE_COUNT for all that have none */
static void get_policy(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    const PcmHardware *hw = &PCMASTER(obj)->hw;
    unsigned rule = GPOINTER_TO_UINT(opaque);
    int value = rule == PCM_RULE_COUNT ? hw->policy
                                       : pcm_port_hw_policy(hw, rule);

    visit_type_enum(v, name, &value, &policy_lookup, errp);
}

static void set_policy(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    PcmHardware *hw = &PCMASTER(obj)->hw;
    unsigned rule = GPOINTER_TO_UINT(opaque);
    int value;

    if (DEVICE(obj)->realized) {
        error_setg(errp, "%s cannot be changed once the device is realized",
                   name);
        return;
    }
    if (!visit_type_enum(v, name, &value, &policy_lookup, errp)) {
        return;
    }
    if (rule == PCM_RULE_COUNT) {
        hw->policy = value;
    } else {
        hw->rule_policy[rule] = value;
    }
}

static void add_policy(ObjectClass *klass, const char *name, unsigned rule,
                       const char *description)
{
    object_class_property_add(klass, name, "PcmasterPolicy", get_policy,
                              set_policy, NULL, GUINT_TO_POINTER(rule));
    object_class_property_set_description(klass, name, description);
}

void pcm_port_init_policies(PcmHardware *hw)
{
    hw->policy = PCM_POLICY_ABORT;
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        hw->rule_policy[rule] = PCM_POLICY_INHERITED;
    }
}

void pcm_port_add_properties(ObjectClass *klass)
{
    static const struct {
        const char *name;
        const char *text;
    } list[] = {
        { "addr-bits", "Address lines the device has, 20 to 64" },
        { "boundary", "Power of two that no buffer may cross; 0: none" },
        { "boundary-mask", "Address bits that may vary in a buffer" },
        { "align", "What the first address of a buffer is a multiple of" },
        { "grain", "What the length of a buffer is a multiple of" },
        { "burst", "Most bytes of a buffer, a power of two; 0: any number" },
        { "node", "NUMA node that memory must be on" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        object_class_property_set_description(klass, list[i].name,
                                              list[i].text);
    }
    add_policy(klass, "policy", PCM_RULE_COUNT,
               "What happens to a DMA that breaks a rule, until the driver "
               "decides: abort, wrap or record");
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        g_autofree char *name = g_strconcat("policy-", pcm_rule_names[rule],
                                            NULL);

        add_policy(klass, name, rule, "The same for this rule alone");
    }
}
