/*
 * KSPROPSETID_Topology: what a filter is made of.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

NTSTATUS PcpGetCategories(PC_PROPERTY *Request)
{
    const PCFILTER_DESCRIPTOR *filter = Request->Port->Description;

    return PcpReturnItems(Request, filter->CategoryCount, filter->Categories,
                          sizeof(GUID), sizeof(GUID));
}

static const PCNODE_DESCRIPTOR *Node(const PCFILTER_DESCRIPTOR *Filter,
                                     ULONG Index)
{
    return (const PCNODE_DESCRIPTOR *)((PUCHAR)Filter->Nodes +
                                       (SIZE_T)Index * Filter->NodeSize);
}

/* The nodes' types, which the description only points to. */
NTSTATUS PcpGetNodes(PC_PROPERTY *Request)
{
    const PCFILTER_DESCRIPTOR *filter = Request->Port->Description;
    NTSTATUS status = PcpReturnItems(Request, filter->NodeCount, NULL, 0,
                                     sizeof(GUID));
    GUID *types = (GUID *)((PKSMULTIPLE_ITEM)Request->Value + 1);

    for (ULONG i = 0; NT_SUCCESS(status) && i < filter->NodeCount; i++) {
        types[i] = *Node(filter, i)->Type;
    }
    return status;
}

_Static_assert(sizeof(PCCONNECTION_DESCRIPTOR) == sizeof(KSTOPOLOGY_CONNECTION),
               "PCCONNECTION_DESCRIPTOR");

NTSTATUS PcpGetConnections(PC_PROPERTY *Request)
{
    const PCFILTER_DESCRIPTOR *filter = Request->Port->Description;

    return PcpReturnItems(Request, filter->ConnectionCount, filter->Connections,
                          sizeof(KSTOPOLOGY_CONNECTION),
                          sizeof(KSTOPOLOGY_CONNECTION));
}
