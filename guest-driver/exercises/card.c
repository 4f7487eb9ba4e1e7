/* SPDX-License-Identifier: MIT */
/*
 * Playing through system DMA: by a sound card on the ISA bus that is not ours
 *
 * The host compares what the card's back end has recorded with the sound that it
 * gave: it is told how much of it was played, in the order of the exercises.
 */
#include "run.h"

#include "sb16_ioctl.h"

/* The highest that the card plays at. */
#define CARD_RATE                   44100u

static const char *const methods[SB16_METHODS] = {
    [SB16_PACKETS] = "MapTransfer",
    [SB16_COMMON] = "AllocateCommonBuffer",
    [SB16_CHANNEL] = "IDmaChannelSlave::Start",
};

/* The controllers have 24 bits, and a page register that does not count. */
static void check_card_buffer(struct run *run, const struct sb16_played *played, uint32_t bits)
{
    uint32_t reach = bits == 16 ? 0x20000u : 0x10000u, last = played->logical + 2 * played->block_bytes - 1;

    text_add(&run->logical, "%X", (uint64_t)played->logical);
    if (last >> 24 || played->logical / reach != last / reach) {
        broken(run, "the buffer at %X is not one that the channel reaches", (uint64_t)played->logical);
    }
}

static void check_played(struct run *run, const struct sb16_played *played, uint32_t bits, uint32_t sound)
{
    if ((played->channel > 3) != (bits == 16)) {
        broken(run, "channel %u is not for %u bits", played->channel, bits);
    }
    if (played->interrupts != played->blocks) {
        broken(run, "%u interrupts came of %u blocks", played->interrupts, played->blocks);
    }
    if (played->bytes < sound + SB16_SILENT_FRAMES * (bits / 8)) {
        broken(run, "%u bytes were played of %u and silence", played->bytes, sound);
    }
    if (!played->ended) {
        broken(run, "the counter was never seen to come to the end");
    }
    if (played->astray) {
        broken(run, "the counter was astray %u times", played->astray);
    }
}

void exercise_card(struct run *run, const struct request *request)
{
    struct sb16_play play = { .method = request->card_method, .bits = request->card_bits, .rate = CARD_RATE };
    struct sb16_played played = { 0 };
    bool packets = play.method == SB16_PACKETS;
    uint32_t status;

    text_clear(&run->request);
    text_add(&run->request, "%s, channel of %u bits", methods[play.method], play.bits);
    status = run->ops->card ? run->ops->card(run->ops->context, &play, &played) : PCM_STATUS_NO_SUCH_DEVICE;
    if (status == PCM_STATUS_NO_SUCH_DEVICE) {
        skipped(run, "the machine has no sound card on the ISA bus");
        return;
    }
    if (status) {
        broken(run, "status %X", (uint64_t)status);
        return;
    }
    text_add(&run->request, " (%u), %u bytes", played.channel, play.bytes);
    check_played(run, &played, play.bits, play.bytes);
    if (!packets) {
        check_card_buffer(run, &played, play.bits);
    }
    run->played = play.bytes;
    text_add(&run->more, ",\"card\":{\"bits\":%u,\"bytes\":%u,\"played\":%u}", play.bits, play.bytes,
             played.bytes);
}
