/* SPDX-License-Identifier: MIT */
/* selftest.sys: IRPs down and up a stack of three devices of our own */
#include "selftest.h"

#define DEVICES                     3
#define CODE(method)                CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, method, FILE_ANY_ACCESS)

/* What the lowest device does with a request. */
enum ending { ENDING_AT_ONCE, ENDING_WITH_ERROR, ENDING_LATER };

struct level {
    PDEVICE_OBJECT lower;                   /* NULL: this is the lowest */
    char name;
};

static PDEVICE_OBJECT devices[DEVICES];     /* lowest first */
static enum ending ending;
static bool keep_at_top;                    /* the top's routine asks for more processing */
static UCHAR routine_flags;                 /* SL_INVOKE_ON_ of the completion routines */
static char order[8];
static ULONG called;
static BOOLEAN pending_returned;
static KTIMER later_timer;
static KDPC later_dpc;

static void finish(PIRP irp, NTSTATUS status)
{
    PUCHAR data = irp->AssociatedIrp.SystemBuffer;

    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    if (data) {
        data[0]++;
        irp->IoStatus.Information = 2;
    }
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static VOID NTAPI finish_later(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    (void)dpc;
    (void)argument1;
    (void)argument2;
    finish(context, STATUS_SUCCESS);
}

static NTSTATUS end_request(PIRP irp)
{
    switch (ending) {
    case ENDING_LATER:
        IoMarkIrpPending(irp);
        KeInitializeTimer(&later_timer);
        KeInitializeDpc(&later_dpc, finish_later, irp);
        KeSetTimer(&later_timer, after_ms(50), &later_dpc);
        return STATUS_PENDING;
    case ENDING_WITH_ERROR:
        finish(irp, STATUS_IO_DEVICE_ERROR);
        return STATUS_IO_DEVICE_ERROR;
    default:
        finish(irp, STATUS_SUCCESS);
        return STATUS_SUCCESS;
    }
}

static NTSTATUS NTAPI completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct level *level = context;

    EXPECT(device->DeviceExtension == context);
    order[called++ % sizeof(order)] = level->name;
    pending_returned = irp->PendingReturned;
    if (keep_at_top && device == devices[DEVICES - 1]) {
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (irp->PendingReturned) {
        IoMarkIrpPending(irp);
    }
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    struct level *level = device->DeviceExtension;
    NTSTATUS status;

    if (!level->lower) {
        return end_request(irp);
    }
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, completed, level, (routine_flags & SL_INVOKE_ON_SUCCESS) != 0,
                           (routine_flags & SL_INVOKE_ON_ERROR) != 0,
                           (routine_flags & SL_INVOKE_ON_CANCEL) != 0);
    status = IoCallDriver(level->lower, irp);
    if (keep_at_top && device == devices[DEVICES - 1]) {
        /* The request is ours again, with the result of those below. */
        status = STATUS_DEVICE_NOT_READY;
        irp->IoStatus.Status = status;
        IoCompleteRequest(irp, IO_NO_INCREMENT);
    }
    return status;
}

static bool build_stack(void)
{
    ending = ENDING_AT_ONCE;
    keep_at_top = false;
    routine_flags = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    called = 0;
    selftest_driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = dispatch;
    for (ULONG i = 0; i < DEVICES; i++) {
        struct level *level;
        NTSTATUS status = IoCreateDevice(selftest_driver, sizeof(*level), NULL,
                                         FILE_DEVICE_UNKNOWN, 0, FALSE, &devices[i]);

        EXPECT_STATUS(status, STATUS_SUCCESS);
        if (!NT_SUCCESS(status)) {
            return false;
        }
        level = devices[i]->DeviceExtension;
        level->name = (char)('a' + i);
        level->lower = i ? IoAttachDeviceToDeviceStack(devices[i], devices[0]) : NULL;
        EXPECT(!i || level->lower == devices[i - 1]);
    }
    return true;
}

static void take_stack_apart(void)
{
    for (ULONG i = DEVICES; i--;) {
        if (i) {
            IoDetachDevice(devices[i - 1]);
        }
        IoDeleteDevice(devices[i]);
    }
}

/* Sends two bytes down the whole stack and waits; OUT gets two bytes. */
static NTSTATUS send(UCHAR *out, IO_STATUS_BLOCK *result)
{
    UCHAR in[2] = { 0x41, 0x42 };
    PDEVICE_OBJECT top = devices[DEVICES - 1];
    NTSTATUS status;
    KEVENT done;
    PIRP irp;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(CODE(METHOD_BUFFERED), top, in, sizeof(in), out, 2,
                                        FALSE, &done, result);
    EXPECT(irp != NULL);
    if (!irp) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = IoCallDriver(top, irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        status = result->Status;
    }
    EXPECT(KeReadStateEvent(&done) != 0);
    EXPECT_STATUS(result->Status, status);
    return status;
}

static void buffered(void)
{
    IO_STATUS_BLOCK result = { .Information = 0 };
    UCHAR out[2] = { 0, 0 };

    if (build_stack()) {
        EXPECT_EQUAL(devices[DEVICES - 1]->StackSize, DEVICES);
        EXPECT_STATUS(send(out, &result), STATUS_SUCCESS);
        EXPECT_EQUAL(result.Information, 2);
        EXPECT(out[0] == 0x42 && out[1] == 0x42);
        EXPECT_EQUAL(called, 2);
        EXPECT(order[0] == 'b' && order[1] == 'c');
        EXPECT(!pending_returned);
        take_stack_apart();
    }
}

static void failed(void)
{
    IO_STATUS_BLOCK result = { .Information = 0 };
    UCHAR out[2] = { 7, 7 };

    if (build_stack()) {
        ending = ENDING_WITH_ERROR;
        routine_flags = SL_INVOKE_ON_SUCCESS;
        EXPECT_STATUS(send(out, &result), STATUS_IO_DEVICE_ERROR);
        EXPECT_EQUAL(called, 0);
        EXPECT(out[0] == 7 && out[1] == 7);
        routine_flags = SL_INVOKE_ON_ERROR;
        EXPECT_STATUS(send(out, &result), STATUS_IO_DEVICE_ERROR);
        EXPECT_EQUAL(called, 2);
        ending = ENDING_AT_ONCE;
        EXPECT_STATUS(send(out, &result), STATUS_SUCCESS);
        EXPECT_EQUAL(called, 2);
        take_stack_apart();
    }
}

static void more_processing(void)
{
    IO_STATUS_BLOCK result = { .Information = 0 };
    UCHAR out[2] = { 0, 0 };

    if (build_stack()) {
        keep_at_top = true;
        EXPECT_STATUS(send(out, &result), STATUS_DEVICE_NOT_READY);
        EXPECT_EQUAL(called, 2);
        EXPECT(order[0] == 'b' && order[1] == 'c');
        take_stack_apart();
    }
}

static void pending(void)
{
    ULONGLONG start = KeQueryInterruptTime();
    IO_STATUS_BLOCK result = { .Information = 0 };
    UCHAR out[2] = { 0, 0 };

    if (build_stack()) {
        ending = ENDING_LATER;
        EXPECT_STATUS(send(out, &result), STATUS_SUCCESS);
        EXPECT(KeQueryInterruptTime() - start >= 50 * MS);
        EXPECT_EQUAL(called, 2);
        EXPECT(pending_returned);
        EXPECT_EQUAL(out[0], 0x42);
        take_stack_apart();
    }
}

static void not_dispatched(void)
{
    IO_STATUS_BLOCK result = { .Information = 0 };
    NTSTATUS status;
    KEVENT done;
    PIRP irp;

    if (!build_stack()) {
        return;
    }
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(CODE(METHOD_BUFFERED), devices[0], NULL, 0, NULL, 0,
                                        TRUE, &done, &result);
    EXPECT_EQUAL(IoGetNextIrpStackLocation(irp)->MajorFunction, IRP_MJ_INTERNAL_DEVICE_CONTROL);
    status = IoCallDriver(devices[0], irp);
    EXPECT_STATUS(status, STATUS_INVALID_DEVICE_REQUEST);
    EXPECT_STATUS(result.Status, STATUS_INVALID_DEVICE_REQUEST);
    take_stack_apart();
}

static NTSTATUS NTAPI take_back(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    (void)irp;
    EXPECT(device == NULL);
    called++;
    *(bool *)context = true;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* An IRP that its maker takes back, sets up anew and sends again. */
static void own_irp(void)
{
    bool taken = false;
    USHORT size = IoSizeOfIrp(DEVICES);
    PIRP irp;

    if (!build_stack()) {
        return;
    }
    irp = IoAllocateIrp(DEVICES, FALSE);
    EXPECT(irp != NULL);
    for (ULONG round = 0; irp && round < 2; round++) {
        PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);

        EXPECT_EQUAL(irp->StackCount, DEVICES);
        taken = false;
        stack->MajorFunction = IRP_MJ_DEVICE_CONTROL;
        IoSetCompletionRoutine(irp, take_back, &taken, TRUE, TRUE, TRUE);
        EXPECT_STATUS(IoCallDriver(devices[DEVICES - 1], irp), STATUS_SUCCESS);
        EXPECT(taken);
        EXPECT_STATUS(irp->IoStatus.Status, STATUS_SUCCESS);
        IoInitializeIrp(irp, size, DEVICES);
    }
    EXPECT_EQUAL(called, 6);
    if (irp) {
        IoFreeIrp(irp);
    }
    take_stack_apart();
}

/* METHOD_NEITHER passes the pointers on; the direct methods are refused. */
static void other_methods(void)
{
    IO_STATUS_BLOCK result;
    UCHAR in[2] = { 0, 0 }, out[3];
    KEVENT done;
    PIRP irp;

    if (build_stack()) {
        KeInitializeEvent(&done, NotificationEvent, FALSE);
        irp = IoBuildDeviceIoControlRequest(CODE(METHOD_NEITHER), devices[0], in, sizeof(in), out,
                                            sizeof(out), FALSE, &done, &result);
        if (irp) {
            PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);

            EXPECT(stack->Parameters.DeviceIoControl.Type3InputBuffer == in);
            EXPECT(irp->UserBuffer == out);
            EXPECT_EQUAL(stack->Parameters.DeviceIoControl.InputBufferLength, sizeof(in));
            EXPECT_EQUAL(stack->Parameters.DeviceIoControl.OutputBufferLength, sizeof(out));
            IoFreeIrp(irp);
        }
        EXPECT(irp != NULL);
        EXPECT(!IoBuildDeviceIoControlRequest(CODE(METHOD_IN_DIRECT), devices[0], in, 2, out,
                                              2, FALSE, &done, &result));
        take_stack_apart();
    }
}

const struct check irp_checks[] = {
    { "irp/buffered", buffered },
    { "irp/failed", failed },
    { "irp/more-processing", more_processing },
    { "irp/pending", pending },
    { "irp/not-dispatched", not_dispatched },
    { "irp/own", own_irp },
    { "irp/other-methods", other_methods },
    { NULL, NULL },
};
