/* SPDX-License-Identifier: MIT */
/* selftest.sys: remove locks */
#include "selftest.h"

static IO_REMOVE_LOCK lock;
static ULONG released;

static VOID NTAPI release(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    (void)dpc;
    (void)argument1;
    (void)argument2;
    released++;
    IoReleaseRemoveLock(&lock, context);
}

static void in_use(void)
{
    KTIMER timer;
    char tag;
    KDPC dpc;

    released = 0;
    IoInitializeRemoveLock(&lock, SELFTEST_TAG, 0, 0);
    EXPECT_STATUS(IoAcquireRemoveLock(&lock, &tag), STATUS_SUCCESS);
    EXPECT_STATUS(IoAcquireRemoveLock(&lock, &lock), STATUS_SUCCESS);
    IoReleaseRemoveLock(&lock, &tag);
    EXPECT_STATUS(IoAcquireRemoveLock(&lock, &tag), STATUS_SUCCESS);
    /* Two uses and the remover's own: the timer ends one, we another. */
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, release, &tag);
    KeSetTimer(&timer, after_ms(50), &dpc);
    EXPECT_EQUAL(released, 0);
    IoReleaseRemoveLockAndWait(&lock, &lock);
    EXPECT_EQUAL(released, 1);
    EXPECT_STATUS(IoAcquireRemoveLock(&lock, &tag), STATUS_DELETE_PENDING);
}

static void unused(void)
{
    ULONGLONG start = KeQueryInterruptTime();
    char tag;

    IoInitializeRemoveLock(&lock, SELFTEST_TAG, 0, 0);
    EXPECT_STATUS(IoAcquireRemoveLock(&lock, &tag), STATUS_SUCCESS);
    IoReleaseRemoveLockAndWait(&lock, &tag);
    EXPECT(KeQueryInterruptTime() - start < 100 * MS);
    EXPECT_STATUS(IoAcquireRemoveLock(&lock, &tag), STATUS_DELETE_PENDING);
    EXPECT_STATUS(IoAcquireRemoveLock(&lock, &tag), STATUS_DELETE_PENDING);
}

const struct check remove_lock_checks[] = {
    { "remove-lock/in-use", in_use },
    { "remove-lock/unused", unused },
    { NULL, NULL },
};
