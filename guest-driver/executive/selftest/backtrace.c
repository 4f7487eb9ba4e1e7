/* SPDX-License-Identifier: MIT */
/* selftest.sys: RtlCaptureStackBackTrace */
#include "selftest.h"

#define DEPTH                       5u
#define ROOM                        (4u * 4096u)

static PVOID frames[32];
static ULONG counted;

/* What is behind its caller's own address is the same, whoever asks. */
static __attribute__((noinline)) void capture(ULONG skip, ULONG count)
{
    RtlZeroMemory(frames, sizeof(frames));
    counted = RtlCaptureStackBackTrace(skip, count, frames, NULL);
}

/* A frame of many pages, whose size the unwind data holds in 32 bits. */
static __attribute__((noinline)) void large_frame(void)
{
    volatile UCHAR room[ROOM];

    room[0] = 1;
    capture(0, RTL_NUMBER_OF(frames));
    room[ROOM - 1] = room[0];
}

/* A frame whose size only its frame register knows. */
static __attribute__((noinline)) void dynamic_frame(ULONG bytes)
{
    volatile UCHAR *room = __builtin_alloca(bytes);

    room[0] = 1;
    capture(0, RTL_NUMBER_OF(frames));
    room[bytes - 1] = room[0];
}

static __attribute__((noinline)) void recurse(ULONG depth)
{
    volatile ULONG kept = depth;

    if (depth > 1) {
        recurse(depth - 1);
    } else {
        capture(0, RTL_NUMBER_OF(frames));
    }
    kept = depth + kept;
}

static bool within(PVOID address, void (*function)(ULONG))
{
    return (ULONG_PTR)address - (ULONG_PTR)function < 0x200;
}

static void every_caller(void)
{
    recurse(DEPTH);
    EXPECT(counted > DEPTH + 2);
    for (ULONG i = 1; i <= DEPTH && i < counted; i++) {
        EXPECT(within(frames[i], recurse));
        EXPECT(i < 2 || i == DEPTH || frames[i] == frames[2]);
    }
    EXPECT(frames[DEPTH + 1] != frames[2]);
}

static __attribute__((noinline)) void deepest(PVOID *last)
{
    capture(0, RTL_NUMBER_OF(frames));
    *last = frames[counted - 1];
}

static void frames_of_all_kinds(void)
{
    PVOID last;

    deepest(&last);
    large_frame();
    EXPECT(frames[counted - 1] == last);
    for (ULONG bytes = 8; bytes < 4096; bytes *= 3) {
        dynamic_frame(bytes);
        EXPECT(frames[counted - 1] == last);
        EXPECT(within(frames[1], dynamic_frame));
    }
}

static void skipped_and_cut(void)
{
    PVOID all[3];
    ULONG hash = 0;

    recurse(DEPTH);
    RtlCopyMemory(all, frames + 2, sizeof(all));
    capture(0, 1);
    EXPECT_EQUAL(counted, 1);
    EXPECT(frames[1] == NULL);
    EXPECT(RtlCaptureStackBackTrace(0, 0, frames, &hash) == 0);
    EXPECT_EQUAL(hash, 0);
    capture(1, 2);
    EXPECT_EQUAL(counted, 2);
    EXPECT((ULONG_PTR)frames[0] - (ULONG_PTR)skipped_and_cut < 0x400);
    EXPECT(RtlCaptureStackBackTrace(0, 2, frames, &hash) == 2);
    EXPECT_EQUAL(hash, (ULONG)(ULONG_PTR)frames[0] + (ULONG)(ULONG_PTR)frames[1]);
    EXPECT(RtlCaptureStackBackTrace(1000, 2, frames, NULL) == 0);
}

const struct check backtrace_checks[] = {
    { "backtrace/every-caller", every_caller },
    { "backtrace/frames-of-all-kinds", frames_of_all_kinds },
    { "backtrace/skipped-and-cut", skipped_and_cut },
    { NULL, NULL },
};
