/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maglev hashing as the kernel does it (ip_vs_mh.c): by the client's address, and its port if the service says so. */
#ifndef LIMPET_SCHEDULE_MH_H
#define LIMPET_SCHEDULE_MH_H

#include "siphash.h"
#include "table.h"

#define MH_KEY 2654435761ULL /* generate_hash_secret(): it is no secret */

/* hsiphash() of four bytes, least significant first, as 64-bit kernels have it. */
static __always_inline __u32 mh_bucket(__u32 sum)
{
	struct siphash s = siphash_begin(MH_KEY, MH_KEY);

	siphash13_add(&s, 4ULL << 56 | bpf_ntohl(__builtin_bswap32(sum)));
	return (__u32)siphash13_end(&s) % LIMPET_MH_BUCKETS;
}

/* ip_vs_mh_get_fallback(). */
static long mh_step(__u32 index, void *argument)
{
	struct table_walk *w = argument;

	return table_take(w->list, mh_bucket(w->sum + (w->first + index) % LIMPET_MH_BUCKETS), w->pick);
}

static __always_inline void schedule_mh(struct list *l, const struct packet *p, struct pick *pick)
{
	struct table_walk w = { .list = l, .pick = pick, .sum = client_sum(l, p) };

	/* No server: without a table, or without a weight, which would cost 4,093 hashes to find out. */
	if (!l->buckets || !l->max_weight)
		return;
	w.first = mh_bucket(w.sum);
	if (!table_take(l, w.first, pick) && (l->flags & LIMPET_SERVICE_FALLBACK))
		WALK(LIMPET_MH_BUCKETS, mh_step, &w, LIMPET_MH);
}

#endif
