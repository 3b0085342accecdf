/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Source hashing (ip_vs_sh.c): by the client's address, and its port if the service says so. */
#ifndef LIMPET_SCHEDULE_SH_H
#define LIMPET_SCHEDULE_SH_H

#include "dh.h"
#include "table.h"

/* ip_vs_sh_get_fallback(): it adds the first bucket to the hash that has led there already. */
static long sh_step(__u32 index, void *argument)
{
	struct table_walk *w = argument;

	return table_take(w->list, (2 * w->first + index) % LIMPET_SH_BUCKETS, w->pick);
}

static __always_inline void schedule_sh(struct list *l, const struct packet *p, struct pick *pick)
{
	struct table_walk w = { .list = l, .pick = pick, .first = hash_to_byte(client_sum(l, p)) };

	if (!table_take(l, w.first, pick) && (l->flags & LIMPET_SERVICE_FALLBACK))
		WALK(LIMPET_SH_BUCKETS, sh_step, &w, LIMPET_SH);
}

#endif
