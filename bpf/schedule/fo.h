/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Failover (ip_vs_fo.c): all go to the server with the highest weight; the first one in the list wins a tie. */
#ifndef LIMPET_SCHEDULE_FO_H
#define LIMPET_SCHEDULE_FO_H

#include "counted.h"

static __always_inline void keep_heaviest(struct counted_walk *w, const struct limpet_list_entry *e)
{
	if (e->second > w->best->weight)
		keep(w, e->first, 0, e->second);
}

static long fo_step(__u32 index, void *argument)
{
	struct counted_walk *w = argument;
	struct limpet_list_entry *e = list_serving_at(w->list, index);

	if (e)
		keep_heaviest(w, e);
	return 0;
}

#endif
