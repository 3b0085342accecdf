/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Overflow (ip_vs_ovf.c): as fo, among the servers that have no more active connections than their weight; so each
 * takes one more than that before the next one's turn, and when all are full nobody is served. */
#ifndef LIMPET_SCHEDULE_OVF_H
#define LIMPET_SCHEDULE_OVF_H

#include "counted.h"
#include "fo.h"

static __always_inline long ovf_offer(struct counted_walk *w, const struct limpet_list_entry *e, struct load load)
{
	if (load.active <= e->second)
		keep_heaviest(w, e);
	return 0;
}

static long ovf_step(__u32 index, void *argument)
{
	struct counted_walk *w = argument;
	struct limpet_list_entry *e = list_serving_at(w->list, index);

	return e ? ovf_offer(w, e, load_of(e->first)) : 0;
}

#endif
