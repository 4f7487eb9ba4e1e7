/*
 * pcmaster: a PCI bus master that tells what is wrong with a DMA buffer
 *
 * The PCI function: properties, interrupt, reset and the wiring of the rooms
 * to each other.  docs/specs/pcmaster.rst describes the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "pcmaster.h"
#include "trace.h"

bool pcmaster_can_do_dma(PcmasterState *s)
{
    return pcmaster_is_there(s) && !pcm_injection_silent(s) &&
           (pci_get_word(s->parent_obj.config + PCI_COMMAND) &
            PCI_COMMAND_MASTER);
}

/* --- Configuration space ------------------------------------------------ */

/* Is the function in D0? */
static bool is_on(PCIDevice *dev)
{
    return !(pci_get_word(dev->config + dev->pm_cap + PCI_PM_CTRL) &
             PCI_PM_CTRL_STATE_MASK);
}

/* D3hot keeps nothing: what follows it is a reset. */
static void switch_power(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    trace_pcmaster_power(is_on(dev));
    if (is_on(dev)) {
        pci_device_reset(dev);
    } else {
        pcmaster_reset_when_done(s);
    }
}

static void pcmaster_config_write(PCIDevice *dev, uint32_t address,
                                  uint32_t value, int len)
{
    PcmasterState *s = PCMASTER(dev);
    PcmIrqWay way = pcmaster_irq_way(s);
    bool was_master = pcmaster_can_do_dma(s);
    bool was_on = is_on(dev);
    bool was_guarded = pcmaster_guard(s);

    pci_default_write_config(dev, address, value, len);
    /* The core may have sent a message that waited, and that unplugs us. */
    if (!s->unplugged) {
        if (is_on(dev) != was_on) {
            switch_power(s);
        }
        if (pci_is_express(dev)) {
            pcie_cap_flr_write_config(dev, address, value, len);
        }
        if (pcmaster_irq_way(s) != way ||
            (!was_master && pcmaster_can_do_dma(s))) {
            pcmaster_tell_again(s);
        }
    }
    pcmaster_unguard(s, was_guarded);
}

/* --- Reset -------------------------------------------------------------- */

void pcmaster_reset_state(PcmasterState *s)
{
    trace_pcmaster_reset();
    s->int_status = 0;
    s->int_enable = 0;
    pcm_port_reset(s);
    pcmaster_irq_reset(s);
    pcm_log_reset(&s->log);
    pcm_accounting_clear(s);
    pcm_injection_reset(s);
    pcm_exerciser_reset(s);
    pcm_streams_reset(s);
    pcmaster_irq_update(s);
}

static void pcmaster_reset_hold(Object *obj, ResetType type)
{
    pcmaster_reset_when_done(PCMASTER(obj));
}

/* --- Life --------------------------------------------------------------- */

static bool check_properties(PcmasterState *s, Error **errp)
{
    if (s->playback > PCM_PLAYBACK_MAX) {
        error_setg(errp, "playback must be 0 to %u streams, not %u",
                   PCM_PLAYBACK_MAX, s->playback);
        return false;
    }
    if (s->capture > PCM_CAPTURE_MAX) {
        error_setg(errp, "capture must be 0 to %u streams, not %u",
                   PCM_CAPTURE_MAX, s->capture);
        return false;
    }
    return pcm_port_check_properties(&s->hw, errp);
}

/* An audiodev that was asked for must be there; else streams report it. */
static bool connect_audio(PcmasterState *s, Error **errp)
{
    bool chosen = pcm_audio_chosen(&s->audio);
    Error *err = NULL;

    if (!s->playback && !s->capture) {
        return true;
    }
    s->audio_ready = pcm_audio_register(&s->audio, &err);
    if (!s->audio_ready && chosen) {
        error_propagate(errp, err);
        return false;
    }
    error_free(err);
    pcm_audio_look(s);
    return true;
}

static bool add_capabilities(PCIDevice *dev, Error **errp)
{
    int pm;

    if (pci_bus_is_express(pci_get_bus(dev))) {
        if (pcie_endpoint_cap_init(dev, 0) < 0) {
            error_setg(errp, "no room for the PCI Express capability");
            return false;
        }
        pcie_cap_flr_init(dev);
    } else {
        dev->cap_present &= ~QEMU_PCI_CAP_EXPRESS;
    }
    pm = pci_pm_init(dev, 0, errp);
    if (pm < 0) {
        return false;
    }
    pci_set_word(dev->config + pm + PCI_PM_PMC, PCI_PM_CAP_VER_1_2);
    pci_set_word(dev->wmask + pm + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
    return true;
}

static void pcmaster_realize(PCIDevice *dev, Error **errp)
{
    PcmasterState *s = PCMASTER(dev);

    if (!check_properties(s, errp) || !add_capabilities(dev, errp) ||
        !pcmaster_irq_init(s, errp)) {
        return;
    }
    if (!connect_audio(s, errp)) {
        pcmaster_irq_exit(s);
        return;
    }
    memory_region_init_io(&s->mmio, OBJECT(s), &pcmaster_mmio_ops, s,
                          "pcmaster", PCM_BAR_SIZE);
    pci_register_bar(dev, PCM_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    pcm_exerciser_init(s);
    pcm_streams_init(s);
}

void pcmaster_dismantle(PcmasterState *s)
{
    pcm_exerciser_exit(s);
    pcm_streams_exit(s);
    pcmaster_irq_dismantle(s);
    if (s->audio_ready) {
        pcm_audio_unregister(&s->audio);
    }
}

static void pcmaster_exit(PCIDevice *dev)
{
    PcmasterState *s = PCMASTER(dev);

    pcmaster_unplug(s);
    pcmaster_irq_exit(s);
    if (pci_is_express(dev)) {
        pcie_cap_exit(dev);
    }
}

static void pcmaster_instance_init(Object *obj)
{
    PCI_DEVICE(obj)->cap_present |= QEMU_PCI_CAP_EXPRESS;
    pcm_port_init_policies(&PCMASTER(obj)->hw);
    pcm_injection_init(&PCMASTER(obj)->injection);
}

/* --- Properties --------------------------------------------------------- */

static const Property pcmaster_properties[] = {
    DEFINE_PROP_UINT8("addr-bits", PcmasterState, hw.addr_bits,
                      PCM_ADDR_BITS_MAX),
    DEFINE_PROP_SIZE("boundary", PcmasterState, hw.boundary, 0),
    DEFINE_PROP_UINT64("boundary-mask", PcmasterState, hw.boundary_mask,
                       PCM_BOUNDARY_NONE),
    DEFINE_PROP_SIZE32("align", PcmasterState, hw.align, 1),
    DEFINE_PROP_SIZE32("grain", PcmasterState, hw.grain, 1),
    DEFINE_PROP_SIZE32("burst", PcmasterState, hw.burst, 0),
    DEFINE_PROP_UINT32("node", PcmasterState, hw.node, PCM_NODE_ANY),
    DEFINE_PROP_UINT8("playback", PcmasterState, playback, 1),
    DEFINE_PROP_UINT8("capture", PcmasterState, capture, 1),
    DEFINE_PROP_BOOL("loopback", PcmasterState, loopback, false),
    DEFINE_AUDIO_PROPERTIES(PcmasterState, audio),
    DEFINE_PROP_ON_OFF_AUTO("msi", PcmasterState, msi, ON_OFF_AUTO_AUTO),
    DEFINE_PROP_ON_OFF_AUTO("msix", PcmasterState, msix, ON_OFF_AUTO_AUTO),
    DEFINE_PROP_BOOL("guest-injection", PcmasterState, guest_injection,
                     false),
};

static void describe_properties(ObjectClass *klass)
{
    static const struct {
        const char *name;
        const char *text;
    } list[] = {
        { "playback", "Number of playback streams, 0 to 8" },
        { "capture", "Number of capture streams, 0 to 8" },
        { "loopback", "Capture streams hear the playback streams, not the "
                      "audio back end" },
        { "audiodev", "Audio back end that the streams play on and record "
                      "from" },
        { "msi", "The MSI capability: on, off, or as the machine has it" },
        { "msix", "The MSI-X capability: on, off, or as the machine has it" },
        { "guest-injection", "The guest may inject faults, too" },
        { "accounting", "Bytes and transactions by requester and by node" },
        { "violations", "Records of the violation log, oldest first" },
    };

    pcm_port_add_properties(klass);
    pcm_injection_add_properties(klass);
    object_class_property_add(klass, "violations", "PcmasterViolationList",
                              pcm_log_get_property, NULL, NULL, NULL);
    object_class_property_add(klass, "accounting", "PcmasterAccounting",
                              pcm_accounting_get_property, NULL, NULL, NULL);
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

    rc->phases.hold = pcmaster_reset_hold;

    dc->desc = "Bus master that checks DMA buffers and plays them";
    dc->vmsd = &vmstate_pcmaster;
    pcm_registers_init();
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
