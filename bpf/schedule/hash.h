/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The choice that needs no memory: used when a table is full, so that every packet of a flow, respectively every flow
 * of a persistent client, still reaches one server. */
#ifndef LIMPET_SCHEDULE_HASH_H
#define LIMPET_SCHEDULE_HASH_H

#include "list.h"
#include "rr.h"

static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash = (hash ^ word) * 0x85ebca6bU;
	return hash ^ hash >> 15;
}

/* The first server that takes new connections, from the place that the hash says. */
static __always_inline void first_from(struct list *l, __u32 hash, struct pick *pick)
{
	/* One more round: the last byte of an address that went in last has not reached the low bits yet. */
	struct rr_walk w = { .list = l, .index = mix(hash, 0) % l->count };

	bpf_loop(l->count, rr_step, &w, 0);
	pick->destination = w.destination;
}

static __always_inline void schedule_hash(struct list *l, __u32 hash, struct pick *pick)
{
	/* Servers' thresholds are not asked: these flows are not counted, and all packets of one must find the same. */
	l->thresholds = 0;
	first_from(l, hash, pick);
}

#endif
