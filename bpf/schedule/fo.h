/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Failover (ip_vs_fo.c): all go to the server with the highest weight; the first one in the list wins a tie. */
#ifndef LIMPET_SCHEDULE_FO_H
#define LIMPET_SCHEDULE_FO_H

#include "counted.h"

static __always_inline long fo_offer(struct best *best, const struct server *s)
{
	if (s->weight > best->weight)
		keep(best, s->destination, 0, s->weight);
	return 0;
}

EACH_SERVER(fo_step, struct counted_walk, *w, fo_offer(&best, s))

#endif
