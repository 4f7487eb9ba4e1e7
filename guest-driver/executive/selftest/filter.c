/* SPDX-License-Identifier: MIT */
/* selftest.sys: a filter on the device of the driver under test, and the machine's hand */
#include "filter.h"

struct filter filter;

static NTSTATUS pass(PIRP irp)
{
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(filter.below, irp);
}

static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    (void)device;
    return pass(irp);
}

static NTSTATUS refuse(PIRP irp)
{
    irp->IoStatus.Status = STATUS_DEVICE_PAPER_EMPTY;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_DEVICE_PAPER_EMPTY;
}

static void note_resources(const CM_RESOURCE_LIST *list, struct seen *seen)
{
    const CM_PARTIAL_RESOURCE_LIST *partial = &list->List[0].PartialResourceList;

    for (ULONG i = 0; i < partial->Count; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *d = &partial->PartialDescriptors[i];

        if (d->Type == CmResourceTypeMemory && !seen->memory) {
            seen->memory = (ULONGLONG)d->u.Memory.Start.QuadPart;
        } else if (d->Type == CmResourceTypeInterrupt) {
            seen->vector = d->u.MessageInterrupt.Translated.Vector;
        }
    }
}

/* True: it is to be refused. */
static bool note(PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    struct seen *seen = &filter.seen[filter.count % FILTER_SEEN_MAX];

    RtlZeroMemory(seen, sizeof(*seen));
    seen->major = stack->MajorFunction;
    seen->minor = stack->MinorFunction;
    seen->irql = KeGetCurrentIrql();
    if (stack->MajorFunction == IRP_MJ_POWER) {
        seen->power_type = (UCHAR)stack->Parameters.Power.Type;
        seen->power_state = (ULONG)stack->Parameters.Power.State.SystemState;
    } else if (stack->MinorFunction == IRP_MN_START_DEVICE) {
        note_resources(stack->Parameters.StartDevice.AllocatedResourcesTranslated, seen);
    }
    filter.count++;
    return filter.refuse_major == seen->major && filter.refuse_minor == seen->minor;
}

static NTSTATUS NTAPI dispatch_pnp(PDEVICE_OBJECT device, PIRP irp)
{
    UCHAR minor = IoGetCurrentIrpStackLocation(irp)->MinorFunction;
    NTSTATUS status;

    if (note(irp)) {
        return refuse(irp);
    }
    status = pass(irp);
    if (filter.passing) {
        filter.passing(minor);
    }
    if (minor == IRP_MN_REMOVE_DEVICE) {
        IoDetachDevice(filter.below);
        IoDeleteDevice(device);
        filter.self = NULL;
    }
    return status;
}

static NTSTATUS NTAPI dispatch_power(PDEVICE_OBJECT device, PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);

    (void)device;
    if (note(irp)) {
        PoStartNextPowerIrp(irp);
        return refuse(irp);
    }
    if (filter.keep && stack->Parameters.Power.Type == DevicePowerState) {
        filter.keep = FALSE;
        filter.kept = irp;
        IoMarkIrpPending(irp);
        return STATUS_PENDING;
    }
    PoStartNextPowerIrp(irp);
    IoSkipCurrentIrpStackLocation(irp);
    return PoCallDriver(filter.below, irp);
}

void filter_release(void)
{
    PIRP irp = filter.kept;

    filter.kept = NULL;
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

bool filter_attach(void)
{
    static const UCHAR majors[] = { IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_DEVICE_CONTROL };
    PDEVICE_OBJECT pdo = device_pdo();

    RtlZeroMemory(&filter, sizeof(filter));
    filter.refuse_minor = 0xff;
    for (ULONG i = 0; i < sizeof(majors); i++) {
        selftest_driver->MajorFunction[majors[i]] = dispatch;
    }
    selftest_driver->MajorFunction[IRP_MJ_PNP] = dispatch_pnp;
    selftest_driver->MajorFunction[IRP_MJ_POWER] = dispatch_power;
    if (!pdo || !NT_SUCCESS(IoCreateDevice(selftest_driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE,
                                           &filter.self))) {
        EXPECT(filter.self != NULL);
        return false;
    }
    filter.below = IoAttachDeviceToDeviceStack(filter.self, pdo);
    filter.self->Flags |= DO_POWER_PAGABLE | DO_BUFFERED_IO;
    filter.self->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    ObDereferenceObject(pdo);
    return true;
}

void filter_detach(void)
{
    if (filter.self) {
        IoDetachDevice(filter.below);
        IoDeleteDevice(filter.self);
        filter.self = NULL;
    }
}

bool filter_saw(UCHAR major, const UCHAR *minors)
{
    ULONG i;

    for (i = 0; minors[i] != 0xff; i++) {
        if (i >= filter.count || filter.seen[i].major != major || filter.seen[i].minor != minors[i]) {
            break;
        }
    }
    if (minors[i] == 0xff && i == filter.count) {
        return true;
    }
    for (i = 0; i < filter.count; i++) {
        DbgPrint("# request %u: major 0x%x, minor 0x%x\n", i, filter.seen[i].major, filter.seen[i].minor);
    }
    return false;
}

NTSTATUS machine_act(enum pcm_machine_act wanted, struct pcm_machine *after)
{
    struct link machine;
    NTSTATUS status = link_open(&machine, L"\\Device\\Machine");

    if (NT_SUCCESS(status)) {
        status = link_command(&machine, PCM_MACHINE_IOCTL((ULONG)wanted), NULL, 0, after, sizeof(*after));
        link_close(&machine);
    }
    EXPECT_STATUS(status, STATUS_SUCCESS);
    return NT_SUCCESS(status) ? (NTSTATUS)after->status : status;
}
