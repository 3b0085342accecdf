/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shortest expected delay (ip_vs_sed.c): the smallest number of active connections over weight, the new one counted
 * in. */
#ifndef LIMPET_SCHEDULE_SED_H
#define LIMPET_SCHEDULE_SED_H

#include "counted.h"

static __always_inline long sed_offer(struct counted_walk *w, const struct limpet_list_entry *e, struct load load)
{
	keep_least(w, e->first, load.active + 1, e->second);
	return 0;
}

static long sed_step(__u32 index, void *argument)
{
	struct counted_walk *w = argument;
	struct limpet_list_entry *e = list_serving_at(w->list, index);

	return e ? sed_offer(w, e, load_of(e->first)) : 0;
}

#endif
