/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Least connection, plain and weighted (ip_vs_lc.c, ip_vs_wlc.c): the smallest overhead, respectively overhead over
 * weight. */
#ifndef LIMPET_SCHEDULE_LEAST_H
#define LIMPET_SCHEDULE_LEAST_H

#include "counted.h"

/* An active connection weighs 256 times an inactive one (ip_vs_dest_conn_overhead()). */
static __always_inline __s64 least_overhead(struct load load) { return (load.active << 8) + load.total; }

static __always_inline long lc_offer(struct counted_walk *w, const struct limpet_list_entry *e, struct load load)
{
	keep_least(w, e->first, least_overhead(load), 1);
	return 0;
}

static __always_inline long wlc_offer(struct counted_walk *w, const struct limpet_list_entry *e, struct load load)
{
	keep_least(w, e->first, least_overhead(load), e->second);
	return 0;
}

static long lc_step(__u32 index, void *argument)
{
	struct counted_walk *w = argument;
	struct limpet_list_entry *e = list_serving_at(w->list, index);

	return e ? lc_offer(w, e, load_of(e->first)) : 0;
}

static long wlc_step(__u32 index, void *argument)
{
	struct counted_walk *w = argument;
	struct limpet_list_entry *e = list_serving_at(w->list, index);

	return e ? wlc_offer(w, e, load_of(e->first)) : 0;
}

#endif
