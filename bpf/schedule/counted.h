/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is common to the schedulers that look at every server and keep the best: those of connection counts and fo. An
 * offer judges one server with a load it is told; explain.h makes the same offers with a load that is about to be. */
#ifndef LIMPET_SCHEDULE_COUNTED_H
#define LIMPET_SCHEDULE_COUNTED_H

#include "list.h"

/* Connections of a server. */
struct load {
	__s64 active;
	__s64 total;
};

/* The best so far is kept in the pick, which is memory that the verifier knows nothing of, and never on the stack: up to
 * Linux 6.6 it looks at a loop's callback once, with what the stack holds before the first round, and takes out the
 * branches that this round does not take. */
struct counted_walk {
	struct list *list;
	struct pick *best;
};

static __always_inline struct load load_of(__u32 destination)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);
	struct load load = {};

	if (c) {
		load.active = c->active;
		load.total = c->total;
	}
	return load;
}

/* Null for one that takes no new connections. */
static __always_inline struct limpet_list_entry *list_serving_at(const struct list *l, __u32 index)
{
	struct limpet_list_entry *e = list_at(l, index);

	return e && e->second ? e : 0;
}

static __always_inline void keep(struct counted_walk *w, __u32 destination, __s64 overhead, __s64 weight)
{
	w->best->destination = destination;
	w->best->overhead = overhead;
	w->best->weight = weight;
}

/* Keeps the smaller overhead/weight, cross-multiplied as the kernel does; the first one in the list wins a tie. */
static __always_inline void keep_least(struct counted_walk *w, __u32 destination, __s64 overhead, __s64 weight)
{
	if (!w->best->destination || w->best->overhead * weight > overhead * w->best->weight)
		keep(w, destination, overhead, weight);
}

#endif
