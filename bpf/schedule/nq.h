/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Never queue (ip_vs_nq.c): the first server without an active connection; without such a one, as sed. */
#ifndef LIMPET_SCHEDULE_NQ_H
#define LIMPET_SCHEDULE_NQ_H

#include "counted.h"
#include "sed.h"

static __always_inline long nq_offer(struct counted_walk *w, const struct limpet_list_entry *e, struct load load)
{
	if (load.active)
		return sed_offer(w, e, load);
	keep(w, e->first, 1, e->second);
	return 1;
}

static long nq_step(__u32 index, void *argument)
{
	struct counted_walk *w = argument;
	struct limpet_list_entry *e = list_serving_at(w->list, index);

	return e ? nq_offer(w, e, load_of(e->first)) : 0;
}

#endif
