/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Least connection, plain and weighted (ip_vs_lc.c, ip_vs_wlc.c): the smallest overhead, respectively overhead over
 * weight; the first one in the list wins a tie. */
#ifndef LIMPET_SCHEDULE_LEAST_H
#define LIMPET_SCHEDULE_LEAST_H

#include "list.h"

struct least_walk {
	struct list *list;
	__u32 weighted;
	__u32 destination; /* best so far; 0: none */
	__s64 overhead;
	__s64 weight;
};

/* An active connection weighs 256 times an inactive one (ip_vs_dest_conn_overhead()). */
static __always_inline __s64 overhead_of(__u32 destination)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);

	if (!c)
		return 0;
	return ((__s64)c->active << 8) + c->total;
}

static long least_step(__u32 index, void *argument)
{
	struct least_walk *w = argument;
	struct limpet_list_entry *e = list_at(w->list, index);
	__s64 overhead, weight;

	if (!e || !e->second)
		return 0;
	overhead = overhead_of(e->first);
	weight = w->weighted ? e->second : 1;
	/* Cross-multiplied, as the kernel does: overhead/weight is smaller. */
	if (!w->destination || w->overhead * weight > overhead * w->weight) {
		w->destination = e->first;
		w->overhead = overhead;
		w->weight = weight;
	}
	return 0;
}

static __always_inline void schedule_least(struct list *l, __u32 weighted, struct pick *pick)
{
	struct least_walk w = { .list = l, .weighted = weighted };

	bpf_loop(l->count, least_step, &w, 0);
	pick->destination = w.destination;
}

#endif
