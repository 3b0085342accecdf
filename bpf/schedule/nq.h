/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Never queue (ip_vs_nq.c): the first server without an active connection; without such a one, as sed. */
#ifndef LIMPET_SCHEDULE_NQ_H
#define LIMPET_SCHEDULE_NQ_H

#include "counted.h"
#include "sed.h"

static __always_inline long nq_offer(struct best *best, const struct server *s, struct load load)
{
	if (load.active)
		return sed_offer(best, s, load);
	keep(best, s->destination, 1, s->weight);
	return 1;
}

EACH_SERVER(nq_step, struct counted_walk, *w, nq_offer(&best, s, load_at(s)))

#endif
