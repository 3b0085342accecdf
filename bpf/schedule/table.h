/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the schedulers with a table have in common: a hash of the packet is a bucket, and the bucket's server is taken if
 * it takes new connections. limpetd fills the tables (src/dataplane/schedule_tables.h). Only a fallback walks. */
#ifndef LIMPET_SCHEDULE_TABLE_H
#define LIMPET_SCHEDULE_TABLE_H

#include "list.h"

/* What is hashed of the client (ip_vs_sh_hashkey(), ip_vs_mh_hashkey()). */
static __always_inline __u32 client_sum(const struct list *l, const struct packet *p)
{
	__u32 port = l->flags & LIMPET_SERVICE_HASH_PORT ? bpf_ntohs(p->key.client_port) : 0;

	return bpf_ntohl(p->key.client_address) + port;
}

static __always_inline struct limpet_list_entry *table_at(const struct list *l, __u32 bucket)
{
	__u32 slot = l->base + l->count + bucket / LIMPET_ENTRY_BUCKETS;
	limpet_bucket *places = bpf_map_lookup_elem(&lists, &slot);

	return places ? list_at(l, places[bucket % LIMPET_ENTRY_BUCKETS]) : 0;
}

/* Returns 0 if the bucket's server takes nobody new. */
static __always_inline long table_take(const struct list *l, __u32 bucket, struct pick *pick)
{
	struct limpet_list_entry *e = table_at(l, bucket);

	if (!e || !takes_connections(l, e))
		return 0;
	pick->destination = e->first;
	return 1;
}

/* A fallback's walk over the buckets. */
struct table_walk {
	const struct list *list;
	struct pick *pick;
	__u32 sum;
	__u32 first; /* the bucket that was tried first */
};

#endif
