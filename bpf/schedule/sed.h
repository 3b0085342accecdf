/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shortest expected delay (ip_vs_sed.c): the smallest number of active connections over weight, the new one counted
 * in. */
#ifndef LIMPET_SCHEDULE_SED_H
#define LIMPET_SCHEDULE_SED_H

#include "counted.h"

static __always_inline long sed_offer(struct best *best, const struct server *s, struct load load)
{
	keep_least(best, s->destination, load.active + 1, s->weight);
	return 0;
}

EACH_SERVER(sed_step, struct counted_walk, *w, sed_offer(&best, s, load_at(s)))

#endif
