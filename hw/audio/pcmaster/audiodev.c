/*
 * pcmaster: what the audio back end can carry
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-audio.h"
#include "qapi/qapi-visit-audio.h"
#include "qapi/qobject-output-visitor.h"
#include "qobject/qdict.h"
#include "pcmaster.h"

/* QEMU's mixing engine knows no more. */
#define PCM_CHANNELS_MIXED      2
/* Without it, what the back end gets is what the guest gave. */
#define PCM_CHANNELS_RAW        8

static QDict *to_dictionary(Audiodev *dev)
{
    QObject *options = NULL;
    Visitor *v = qobject_output_visitor_new(&options);

    visit_type_Audiodev(v, NULL, &dev, &error_abort);
    visit_complete(v, &options);
    visit_free(v);
    return qobject_to(QDict, options);
}

/*
 * The options of the device's -audiodev; NULL if QEMU made it up.  QEMU's
 * audio layer does not tell its clients what they can open, only QMP's users.
 */
static QDict *find_options(PcmasterState *s)
{
    g_autofree char *id = object_property_get_str(OBJECT(s), "audiodev",
                                                  &error_abort);
    AudiodevList *all = qmp_query_audiodevs(&error_abort);
    QDict *options = NULL;

    for (AudiodevList *e = all; e && !options; e = e->next) {
        if (!g_strcmp0(e->value->id, id)) {
            options = to_dictionary(e->value);
        }
    }
    qapi_free_AudiodevList(all);
    return options;
}

/* @direction: "in" or "out" */
static bool is_mixed(const QDict *options, const char *direction)
{
    QDict *side = options ? qdict_get_qdict(options, direction) : NULL;

    return !side || qdict_get_try_bool(side, "mixing-engine", true);
}

void pcm_audio_look(PcmasterState *s)
{
    QDict *options = s->audio_ready ? find_options(s) : NULL;
    bool mixed_in = s->audio_ready && is_mixed(options, "in");

    s->mixed_out = s->audio_ready && is_mixed(options, "out");
    s->channels = (s->playback && s->mixed_out) ||
                  (s->capture && !s->loopback && mixed_in) ?
                  PCM_CHANNELS_MIXED : PCM_CHANNELS_RAW;
    /*
     * Without the mixing engine wav still counts in frames of S16 stereo, and
     * takes no half ones.  Nothing tells of that but its name.
     */
    s->frame_unit = !s->mixed_out && options &&
                    !g_strcmp0(qdict_get_str(options, "driver"), "wav") ?
                    4 : 1;
    qobject_unref(options);
}
