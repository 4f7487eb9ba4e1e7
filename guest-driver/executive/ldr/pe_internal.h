/* SPDX-License-Identifier: MIT */
/* Bounds, shared by the loader core's two files. */
#ifndef PCMASTER_EXECUTIVE_LDR_PE_INTERNAL_H
#define PCMASTER_EXECUTIVE_LDR_PE_INTERNAL_H

#include "pe.h"

/* Do `size` bytes at `rva` lie in the image? `size` may exceed 32 bits. */
static inline bool pe_inside(const struct pe_image *image, uint64_t rva,
                             uint64_t size)
{
    return rva <= image->size_of_image && size <= image->size_of_image - rva;
}

/* The same behind the headers: what loading may change. */
static inline bool pe_inside_body(const struct pe_image *image, uint64_t rva,
                                  uint64_t size)
{
    return rva >= image->size_of_headers && pe_inside(image, rva, size);
}

#endif
