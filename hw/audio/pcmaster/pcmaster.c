/*
 * pcmaster: a PCI bus master that tells what is wrong with a DMA buffer
 *
 * The PCI function: properties, interrupt, reset and the wiring of the rooms
 * to each other.  docs/specs/pcmaster.rst describes the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "qapi/util.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "pcmaster.h"
#include "trace.h"

static const QEnumLookup policy_lookup = {
    .array = pcm_policy_names,
    .size = PCM_POLICY_RECORD + 1,
};

/* --- Interrupt ---------------------------------------------------------- */

uint32_t pcmaster_int_status(PcmasterState *s)
{
    uint32_t status = s->int_status;

    for (unsigned i = 0; i < s->playback; i++) {
        if (s->streams[i].status & s->streams[i].int_enable) {
            status |= PCM_INT_STREAM(i);
        }
    }
    return status;
}

/*
 * A message tells of an edge.  Each source has one of its own, so that a
 * source which comes while the driver is about to acknowledge another one
 * is not overlooked.
 */
static bool find_edges(PcmasterState *s, uint32_t pending)
{
    bool edge = pending & ~s->pending;

    s->pending = pending;
    for (unsigned i = 0; i < s->playback; i++) {
        const PcmStream *p = &s->streams[i];
        uint32_t sources = pending & PCM_INT_STREAM(i) ?
                           p->status & p->int_enable : 0;

        edge |= sources & ~s->stream_pending[i];
        s->stream_pending[i] = sources;
    }
    return edge;
}

void pcmaster_irq_update(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);
    uint32_t status = pcmaster_int_status(s);
    uint32_t pending = status & s->int_enable;
    bool edge = find_edges(s, pending);

    if (msi_enabled(dev)) {
        pci_set_irq(dev, 0);
        s->message_due |= edge;
    } else {
        if (edge || !pending) {
            trace_pcmaster_irq(pending != 0, status);
        }
        pci_set_irq(dev, pending != 0);
    }
}

void pcmaster_send_message(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    if (!s->message_due) {
        return;
    }
    s->message_due = false;
    timer_del(&s->message_timer);
    if (msi_enabled(dev)) {
        trace_pcmaster_irq(1, pcmaster_int_status(s));
        msi_notify(dev, 0);
    }
}

bool pcmaster_guard(PcmasterState *s)
{
    MemReentrancyGuard *guard = &DEVICE(s)->mem_reentrancy_guard;
    bool was_guarded = guard->engaged_in_io;

    object_ref(OBJECT(s));
    guard->engaged_in_io = true;
    return was_guarded;
}

static void release(PcmasterState *s, bool was_guarded)
{
    DEVICE(s)->mem_reentrancy_guard.engaged_in_io = was_guarded;
    object_unref(OBJECT(s));
}

void pcmaster_unguard(PcmasterState *s, bool was_guarded)
{
    if (was_guarded) {
        pcmaster_unguard_later(s, was_guarded);
        return;
    }
    pcmaster_send_message(s);
    release(s, was_guarded);
}

void pcmaster_unguard_later(PcmasterState *s, bool was_guarded)
{
    if (s->message_due) {
        timer_mod(&s->message_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    }
    release(s, was_guarded);
}

static void on_message_timer(void *opaque)
{
    PcmasterState *s = opaque;

    pcmaster_unguard(s, pcmaster_guard(s));
}

/* What is pending counts as new: nobody may have heard of it so far. */
static void tell_again(PcmasterState *s)
{
    s->pending = 0;
    memset(s->stream_pending, 0, sizeof(s->stream_pending));
    pcmaster_irq_update(s);
}

bool pcmaster_is_bus_master(PcmasterState *s)
{
    return pci_get_word(PCI_DEVICE(s)->config + PCI_COMMAND) &
           PCI_COMMAND_MASTER;
}

static void pcmaster_config_write(PCIDevice *dev, uint32_t address,
                                  uint32_t value, int len)
{
    PcmasterState *s = PCMASTER(dev);
    bool had_msi = msi_enabled(dev);
    bool was_master = pcmaster_is_bus_master(s);
    bool was_guarded = pcmaster_guard(s);

    pci_default_write_config(dev, address, value, len);
    if (pci_is_express(dev)) {
        pcie_cap_flr_write_config(dev, address, value, len);
    }
    if (msi_enabled(dev) != had_msi ||
        (!was_master && pcmaster_is_bus_master(s))) {
        tell_again(s);
    }
    pcmaster_unguard(s, was_guarded);
}

uint64_t pcmaster_hw_mask(const PcmasterState *s)
{
    return s->hw_boundary ? s->hw_boundary - 1 : PCM_BOUNDARY_NONE;
}

/* --- Reset -------------------------------------------------------------- */

static void reset_registers(PcmasterState *s)
{
    trace_pcmaster_reset();
    s->int_status = 0;
    s->int_enable = 0;
    s->addr_bits = s->hw_addr_bits;
    s->limit = UINT64_MAX;
    s->boundary = PCM_BOUNDARY_NONE;
    s->node = PCM_NODE_ANY;
    s->policy = 0;
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        s->policy |= (uint32_t)s->hw_policy << PCM_POLICY_SHIFT(rule);
    }
    memset(s->windows, 0, sizeof(s->windows));
    s->message_due = false;
    timer_del(&s->message_timer);
    pcm_log_reset(&s->log);
    pcm_exerciser_reset(s);
    for (unsigned i = 0; i < s->playback; i++) {
        pcm_stream_reset(&s->streams[i]);
    }
}

void pcmaster_reset_state(PcmasterState *s)
{
    reset_registers(s);
    pcmaster_irq_update(s);
}

static void pcmaster_reset_enter(Object *obj, ResetType type)
{
    reset_registers(PCMASTER(obj));
}

static void pcmaster_reset_hold(Object *obj, ResetType type)
{
    pcmaster_irq_update(PCMASTER(obj));
}

/* --- Life --------------------------------------------------------------- */

static bool check_properties(PcmasterState *s, Error **errp)
{
    if (s->hw_addr_bits < PCM_ADDR_BITS_MIN ||
        s->hw_addr_bits > PCM_ADDR_BITS_MAX) {
        error_setg(errp, "addr-bits must be %u to %u, not %u",
                   PCM_ADDR_BITS_MIN, PCM_ADDR_BITS_MAX, s->hw_addr_bits);
        return false;
    }
    if (s->hw_boundary && !is_power_of_2(s->hw_boundary)) {
        error_setg(errp, "boundary must be a power of two or 0, not 0x%"
                   PRIx64, s->hw_boundary);
        return false;
    }
    if (s->playback > PCM_PLAYBACK_MAX) {
        error_setg(errp, "playback must be 0 to %u streams, not %u",
                   PCM_PLAYBACK_MAX, s->playback);
        return false;
    }
    return true;
}

/* An audiodev that was asked for must be there; else streams report it. */
static bool connect_audio(PcmasterState *s, Error **errp)
{
    bool chosen = pcm_audio_chosen(&s->audio);
    Error *err = NULL;

    if (!s->playback) {
        return true;
    }
    s->audio_ready = pcm_audio_register(&s->audio, &err);
    if (!s->audio_ready && chosen) {
        error_propagate(errp, err);
        return false;
    }
    error_free(err);
    return true;
}

static bool add_capabilities(PCIDevice *dev, Error **errp)
{
    int ret;

    if (pci_bus_is_express(pci_get_bus(dev))) {
        if (pcie_endpoint_cap_init(dev, 0) < 0) {
            error_setg(errp, "no room for the PCI Express capability");
            return false;
        }
        pcie_cap_flr_init(dev);
    } else {
        dev->cap_present &= ~QEMU_PCI_CAP_EXPRESS;
    }
    ret = msi_init(dev, 0, 1, true, false, NULL);
    if (ret < 0 && ret != -ENOTSUP) {
        error_setg_errno(errp, -ret, "cannot add the MSI capability");
        return false;
    }
    return true;
}

static void pcmaster_realize(PCIDevice *dev, Error **errp)
{
    PcmasterState *s = PCMASTER(dev);

    if (!check_properties(s, errp) || !add_capabilities(dev, errp) ||
        !connect_audio(s, errp)) {
        return;
    }
    pci_config_set_interrupt_pin(dev->config, 1);
    memory_region_init_io(&s->mmio, OBJECT(s), &pcmaster_mmio_ops, s,
                          "pcmaster", PCM_BAR_SIZE);
    pci_register_bar(dev, PCM_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    timer_init_ns(&s->message_timer, QEMU_CLOCK_VIRTUAL, on_message_timer, s);
    pcm_exerciser_init(s);
    for (unsigned i = 0; i < s->playback; i++) {
        pcm_stream_init(s, i);
    }
}

static void pcmaster_exit(PCIDevice *dev)
{
    PcmasterState *s = PCMASTER(dev);

    s->message_due = false;
    timer_del(&s->message_timer);
    pcm_exerciser_exit(s);
    for (unsigned i = 0; i < s->playback; i++) {
        pcm_stream_exit(&s->streams[i]);
    }
    if (s->audio_ready) {
        pcm_audio_unregister(&s->audio);
    }
    msi_uninit(dev);
    if (pci_is_express(dev)) {
        pcie_cap_exit(dev);
    }
}

static void pcmaster_instance_init(Object *obj)
{
    PCI_DEVICE(obj)->cap_present |= QEMU_PCI_CAP_EXPRESS;
}

/* --- Properties --------------------------------------------------------- */

static int get_policy(Object *obj, Error **errp)
{
    return PCMASTER(obj)->hw_policy;
}

static void set_policy(Object *obj, int value, Error **errp)
{
    if (DEVICE(obj)->realized) {
        error_setg(errp, "policy cannot be changed once the device is "
                   "realized");
        return;
    }
    PCMASTER(obj)->hw_policy = value;
}

static const Property pcmaster_properties[] = {
    DEFINE_AUDIO_PROPERTIES(PcmasterState, audio),
    DEFINE_PROP_UINT8("addr-bits", PcmasterState, hw_addr_bits, 64),
    DEFINE_PROP_SIZE("boundary", PcmasterState, hw_boundary, 0),
    DEFINE_PROP_UINT8("playback", PcmasterState, playback, 1),
};

static void describe_properties(ObjectClass *klass)
{
    static const struct {
        const char *name;
        const char *text;
    } list[] = {
        { "audiodev", "Audio back end that the streams play on" },
        { "addr-bits", "Address lines the device has, 20 to 64" },
        { "boundary", "Power of two that no buffer may cross; 0: none" },
        { "playback", "Number of playback streams, 0 to 8" },
        { "policy", "What happens to a DMA that breaks a rule, until the "
                    "driver decides: abort, wrap or record" },
        { "violations", "Records of the violation log, oldest first" },
    };

    object_class_property_add_enum(klass, "policy", "PcmasterPolicy",
                                   &policy_lookup, get_policy, set_policy);
    object_class_property_add(klass, "violations", "PcmasterViolationList",
                              pcm_log_get_property, NULL, NULL, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        object_class_property_set_description(klass, list[i].name,
                                              list[i].text);
    }
}

static void pcmaster_class_init(ObjectClass *klass, PcmClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    pc->realize = pcmaster_realize;
    pc->exit = pcmaster_exit;
    pc->config_write = pcmaster_config_write;
    pc->vendor_id = PCM_PCI_VENDOR_ID;
    pc->device_id = PCM_PCI_DEVICE_ID;
    pc->revision = PCM_VERSION_VALUE >> 16;
    pc->class_id = PCI_CLASS_MULTIMEDIA_AUDIO;

    rc->phases.enter = pcmaster_reset_enter;
    rc->phases.hold = pcmaster_reset_hold;

    dc->desc = "Bus master that checks DMA buffers and plays them";
    dc->vmsd = &vmstate_pcmaster;
    device_class_set_props(dc, pcmaster_properties);
    describe_properties(klass);
    set_bit(DEVICE_CATEGORY_SOUND, dc->categories);
}

static const TypeInfo pcmaster_info = {
    .name = TYPE_PCMASTER,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(PcmasterState),
    .instance_init = pcmaster_instance_init,
    .class_init = pcmaster_class_init,
    .interfaces = (PcmInterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { }
    },
};

static void pcmaster_register(void)
{
    type_register_static(&pcmaster_info);
}

type_init(pcmaster_register);
