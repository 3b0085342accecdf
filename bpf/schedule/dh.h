/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Destination hashing (ip_vs_dh.c): by the virtual address. */
#ifndef LIMPET_SCHEDULE_DH_H
#define LIMPET_SCHEDULE_DH_H

#include "table.h"

/* The kernel's hash_32() to 8 bits. */
static __always_inline __u32 hash_to_byte(__u32 value) { return (value * 0x61c88647U) >> 24; }

static __always_inline void schedule_dh(struct list *l, const struct packet *p, struct pick *pick)
{
	table_take(l, hash_to_byte(bpf_ntohl(p->key.virtual_address)), pick);
}

#endif
