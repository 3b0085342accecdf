/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maglev hashing of our own: a table that grows with the servers and is the same on every director that has the same
 * ones, and a hash with a secret key, so that no client can aim at a server. */
#ifndef LIMPET_SCHEDULE_MAGLEV_H
#define LIMPET_SCHEDULE_MAGLEV_H

#include "hash.h"
#include "siphash.h"
#include "table.h"

#define MAGLEV_TRIES 64

static __always_inline __u64 maglev_key(const struct list *l, __u32 half)
{
	__u32 slot = l->base + l->count + (l->buckets + LIMPET_ENTRY_BUCKETS - 1) / LIMPET_ENTRY_BUCKETS + half;
	__u64 *key = bpf_map_lookup_elem(&lists, &slot);

	return key ? *key : 0;
}

/* SipHash-1-3 of address and port, six bytes. */
static __always_inline __u64 maglev_hash(const struct list *l, const struct packet *p)
{
	struct siphash s = siphash_begin(maglev_key(l, 0), maglev_key(l, 1));
	__u64 port = l->flags & LIMPET_SERVICE_HASH_PORT ? bpf_ntohs(p->key.client_port) : 0;

	siphash13_add(&s, 6ULL << 56 | (__u64)bpf_ntohl(p->key.client_address) << 16 | port);
	return siphash13_end(&s);
}

/* Half a hash as a number below `limit`. */
static __always_inline __u32 scaled(__u32 half, __u32 limit) { return (__u64)half * limit >> 32; }

struct maglev_walk {
	const struct list *list;
	struct pick *pick;
	__u32 first, stride;
};

static long maglev_step(__u32 index, void *argument)
{
	struct maglev_walk *w = argument;

	return table_take(w->list, (w->first + (index + 1) * w->stride) % w->list->buckets, w->pick);
}

/* A server that takes nobody new has its clients spread over the others: by a stride of the client's own, and if all
 * those buckets are of such servers, over the list. */
static __always_inline void schedule_maglev(struct list *l, const struct packet *p, struct pick *pick)
{
	struct maglev_walk w = { .list = l, .pick = pick };
	__u64 hash;

	if (!l->buckets)
		return;
	hash = maglev_hash(l, p);
	w.first = scaled(hash >> 32, l->buckets);
	if (table_take(l, w.first, pick) || !(l->flags & LIMPET_SERVICE_FALLBACK))
		return;
	w.stride = 1 + scaled(hash, l->buckets - 1);
	WALK(MAGLEV_TRIES, maglev_step, &w, LIMPET_MAGLEV);
	if (!pick->destination)
		first_from(l, hash, pick);
}

#endif
