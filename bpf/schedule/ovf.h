/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Overflow (ip_vs_ovf.c): as fo, among the servers that have no more active connections than their weight; so each
 * takes one more than that before the next one's turn, and when all are full nobody is served. */
#ifndef LIMPET_SCHEDULE_OVF_H
#define LIMPET_SCHEDULE_OVF_H

#include "counted.h"
#include "fo.h"

static __always_inline long ovf_offer(struct best *best, const struct server *s, struct load load)
{
	return load.active <= s->weight ? fo_offer(best, s) : 0;
}

EACH_SERVER(ovf_step, struct counted_walk, *w, ovf_offer(&best, s, load_at(s)))

#endif
