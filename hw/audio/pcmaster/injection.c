/*
 * pcmaster: faults that are made on purpose
 *
 * The host sets them as properties at run time, the guest in registers, if a
 * property lets it.  Both are doors to the same state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/log.h"
#include "pcmaster.h"
#include "trace.h"

#define PCM_INJ_STREAMS     MAKE_64BIT_MASK(0, PCM_STREAM_COUNT)

static const char *const kind_names[] = {
    [PCM_INJECTED_IRQ_DELAYED] = "irq-delayed",
    [PCM_INJECTED_IRQ_LOST] = "irq-lost",
    [PCM_INJECTED_IRQ_REPEATED] = "irq-repeated",
    [PCM_INJECTED_STUCK] = "stuck",
    [PCM_INJECTED_FLIP] = "flip",
    [PCM_INJECTED_CUT] = "cut",
    [PCM_INJECTED_SILENCE] = "silence",
};

/* One line for both doors to a setting. */
typedef struct PcmSetting {
    size_t field;
    uint32_t most;
    const char *name;
    const char *text;
} PcmSetting;

#define SETTING(member, most_, name_, text_) \
    { .field = offsetof(PcmInjection, member), .most = most_, \
      .name = "inject-" name_, .text = text_ }

static const PcmSetting settings[] = {
    [PCM_INJECTION_SETTING(PCM_INJ_IRQ_DELAY)] =
        SETTING(irq_delay, PCM_INJ_IRQ_DELAY_MAX, "irq-delay",
                "Interrupts come so many ns late"),
    [PCM_INJECTION_SETTING(PCM_INJ_IRQ_LOSE)] =
        SETTING(irq_lose, UINT32_MAX, "irq-lose",
                "The next so many interrupts do not come"),
    [PCM_INJECTION_SETTING(PCM_INJ_IRQ_REPEAT)] =
        SETTING(irq_repeat, UINT32_MAX, "irq-repeat",
                "The next so many interrupts come twice"),
    [PCM_INJECTION_SETTING(PCM_INJ_STUCK)] =
        SETTING(stuck, PCM_INJ_STREAMS, "stuck",
                "Streams, one bit each, whose position stands still"),
    [PCM_INJECTION_SETTING(PCM_INJ_REQUESTERS)] =
        SETTING(requesters, PCM_INJ_STREAMS | PCM_INJ_EXERCISER, "requesters",
                "Whom flip and cut hit: one bit for each stream, bit 16 the "
                "exerciser"),
    [PCM_INJECTION_SETTING(PCM_INJ_FLIP)] =
        SETTING(flip, UINT32_MAX, "flip",
                "Bits flip in the next so many transactions"),
    [PCM_INJECTION_SETTING(PCM_INJ_FLIP_OFFSET)] =
        SETTING(flip_offset, UINT32_MAX, "flip-offset",
                "Byte of the transaction that they flip in"),
    [PCM_INJECTION_SETTING(PCM_INJ_FLIP_MASK)] =
        SETTING(flip_mask, UINT8_MAX, "flip-mask",
                "Bits of that byte that flip"),
    [PCM_INJECTION_SETTING(PCM_INJ_CUT)] =
        SETTING(cut, UINT32_MAX, "cut",
                "The next so many transactions end early"),
    [PCM_INJECTION_SETTING(PCM_INJ_CUT_LENGTH)] =
        SETTING(cut_length, UINT32_MAX, "cut-length",
                "Bytes that they still transfer"),
    [PCM_INJECTION_SETTING(PCM_INJ_SILENCE)] =
        SETTING(silence, 1, "silence", "The device answers no more"),
};

QEMU_BUILD_BUG_ON(ARRAY_SIZE(settings) != PCM_INJECTION_SETTINGS);

static bool is_flag(const PcmSetting *setting)
{
    return setting->most == 1;
}

static uint32_t *value_of(PcmInjection *i, const PcmSetting *setting)
{
    return (uint32_t *)((uint8_t *)i + setting->field);
}

void pcm_injection_init(PcmInjection *i)
{
    *i = (PcmInjection) {
        .requesters = PCM_INJ_STREAMS | PCM_INJ_EXERCISER,
    };
}

void pcm_injection_reset(PcmasterState *s)
{
    pcm_injection_init(&s->injection);
}

bool pcm_injection_valid(const PcmInjection *injection)
{
    PcmInjection copy = *injection;

    for (unsigned i = 0; i < ARRAY_SIZE(settings); i++) {
        if (*value_of(&copy, &settings[i]) > settings[i].most) {
            return false;
        }
    }
    return true;
}

/* --- Records ------------------------------------------------------------ */

static void record(PcmasterState *s, PcmViolation v)
{
    trace_pcmaster_injected(kind_names[v.expected], v.requester, v.address,
                            v.length, v.actual);
    v.rule = PCM_LOG_INJECTED;
    pcm_log_add(s, v);
}

void pcm_injection_log(PcmasterState *s, uint8_t requester, uint64_t kind,
                       uint64_t actual)
{
    record(s, (PcmViolation) {
        .requester = requester,
        .expected = kind,
        .actual = actual,
        .landed = PCM_LANDED_NOWHERE,
        .pc = PCM_PC_UNKNOWN,
    });
}

const char *pcm_injection_kind_name(uint64_t kind)
{
    return kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : NULL;
}

static void record_transfer(PcmasterState *s, const PcmDma *d, uint64_t kind,
                            uint64_t actual, uint32_t offset, bool lands)
{
    record(s, (PcmViolation) {
        .requester = d->t.requester,
        .write = d->t.write,
        .address = d->t.address,
        .length = d->t.length,
        .expected = kind,
        .actual = actual,
        .fault = d->t.address + offset,
        .landed = lands ? pcm_dma_find_landing(s, d, offset) :
                          PCM_LANDED_NOWHERE,
        .pc = pcm_dma_pc(d),
    });
}

/* --- What they do ------------------------------------------------------- */

bool pcm_injection_silent(const PcmasterState *s)
{
    return s->injection.silence;
}

uint64_t pcm_injection_position(PcmasterState *s, unsigned stream,
                                uint64_t position)
{
    PcmInjection *i = &s->injection;
    uint32_t bit = 1u << stream;

    if (!(i->stuck & bit)) {
        i->shown[stream] = position;
    } else if (!(i->stuck_logged & bit)) {
        i->stuck_logged |= bit;
        pcm_injection_log(s, stream, PCM_INJECTED_STUCK, i->shown[stream]);
    }
    return i->shown[stream];
}

static bool hits(const PcmInjection *i, const PcmDma *d)
{
    return i->requesters & (d->t.requester == PCM_REQUESTER_EXERCISER ?
                            PCM_INJ_EXERCISER : 1u << d->t.requester);
}

void pcm_injection_cut(PcmasterState *s, PcmDma *d, uint32_t offset,
                       uint32_t length)
{
    PcmInjection *i = &s->injection;

    if (!i->cut || d->cut != UINT32_MAX || !hits(i, d) ||
        (i->cut_length > offset && i->cut_length - offset >= length)) {
        return;
    }
    i->cut--;
    /* What has been transferred already cannot be taken back. */
    d->cut = MAX(i->cut_length, offset);
    record_transfer(s, d, PCM_INJECTED_CUT, d->cut, d->cut, false);
}

uint8_t pcm_injection_flip(PcmasterState *s, PcmDma *d, uint32_t offset,
                           uint32_t length, uint32_t *at)
{
    PcmInjection *i = &s->injection;

    if (!i->flip || d->flipped || !i->flip_mask || i->flip_offset < offset ||
        i->flip_offset - offset >= length || !hits(i, d)) {
        return 0;
    }
    i->flip--;
    d->flipped = true;
    *at = i->flip_offset - offset;
    record_transfer(s, d, PCM_INJECTED_FLIP, i->flip_mask, i->flip_offset,
                    true);
    return i->flip_mask;
}

/* --- Setting them ------------------------------------------------------- */

/* @value is in range. */
static void set(PcmasterState *s, const PcmSetting *setting, uint32_t value)
{
    PcmInjection *i = &s->injection;
    bool was_silent = i->silence;

    *value_of(i, setting) = value;
    i->stuck_logged &= i->stuck;
    if (!was_silent && i->silence) {
        pcm_injection_log(s, PCM_REQUESTER_DEVICE, PCM_INJECTED_SILENCE, 0);
    }
    if (was_silent != i->silence) {
        pcmaster_tell_again(s);
    }
}

uint64_t pcm_injection_guest_read(PcmasterState *s, unsigned number)
{
    return s->guest_injection ? *value_of(&s->injection, &settings[number])
                              : 0;
}

void pcm_injection_guest_write(PcmasterState *s, unsigned number,
                               uint64_t value)
{
    const PcmSetting *setting = &settings[number];

    if (!s->guest_injection) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: %s is not for the guest to "
                      "set\n", setting->name);
    } else if (value > setting->most) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: %s is at most 0x%" PRIx32
                      ", not 0x%" PRIx64 "\n", setting->name, setting->most,
                      value);
    } else {
        set(s, setting, value);
    }
}

static void get_property(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    const PcmSetting *setting = opaque;
    uint32_t value = *value_of(&PCMASTER(obj)->injection, setting);
    bool flag = value;

    if (is_flag(setting)) {
        visit_type_bool(v, name, &flag, errp);
    } else {
        visit_type_uint32(v, name, &value, errp);
    }
}

static void set_property(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    const PcmSetting *setting = opaque;
    uint32_t value;
    bool flag;

    if (is_flag(setting)) {
        if (!visit_type_bool(v, name, &flag, errp)) {
            return;
        }
        value = flag;
    } else if (!visit_type_uint32(v, name, &value, errp)) {
        return;
    }
    if (!DEVICE(obj)->realized) {
        error_setg(errp, "%s is for a device that is at work: any reset "
                   "turns it off", name);
    } else if (value > setting->most) {
        error_setg(errp, "%s is at most 0x%" PRIx32 ", not 0x%" PRIx32, name,
                   setting->most, value);
    } else {
        bool was_guarded = pcmaster_guard(PCMASTER(obj));

        set(PCMASTER(obj), setting, value);
        pcmaster_unguard(PCMASTER(obj), was_guarded);
    }
}

void pcm_injection_add_properties(ObjectClass *klass)
{
    for (unsigned i = 0; i < ARRAY_SIZE(settings); i++) {
        const PcmSetting *setting = &settings[i];

        object_class_property_add(klass, setting->name,
                                  is_flag(setting) ? "bool" : "uint32",
                                  get_property, set_property, NULL,
                                  (void *)setting);
        object_class_property_set_description(klass, setting->name,
                                              setting->text);
    }
}
