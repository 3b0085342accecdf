/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Least connection, plain and weighted (ip_vs_lc.c, ip_vs_wlc.c): the smallest overhead, respectively overhead over
 * weight. */
#ifndef LIMPET_SCHEDULE_LEAST_H
#define LIMPET_SCHEDULE_LEAST_H

#include "counted.h"

/* An active connection weighs 256 times an inactive one (ip_vs_dest_conn_overhead()). */
static __always_inline __s64 least_overhead(struct load load) { return (load.active << 8) + load.total; }

static __always_inline long lc_offer(struct best *best, const struct server *s, struct load load)
{
	__s64 overhead = least_overhead(load);

	if (!best->destination || overhead < best->overhead)
		keep(best, s->destination, overhead, 1);
	return 0;
}

static __always_inline long wlc_offer(struct best *best, const struct server *s, struct load load)
{
	keep_least(best, s->destination, least_overhead(load), s->weight);
	return 0;
}

EACH_SERVER(lc_step, struct counted_walk, *w, lc_offer(&best, s, load_at(s)))

EACH_SERVER(wlc_step, struct counted_walk, *w, wlc_offer(&best, s, load_at(s)))

#endif
