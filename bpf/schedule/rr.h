/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Round robin (ip_vs_rr.c): the one after the last used; weights matter only as 0 or not 0. */
#ifndef LIMPET_SCHEDULE_RR_H
#define LIMPET_SCHEDULE_RR_H

#include "list.h"

struct rr_walk {
	struct list *list;
	__u32 index;
	__u32 destination;
};

static long rr_step(__u32 step, void *argument)
{
	struct rr_walk *w = argument;
	struct limpet_list_entry *e = list_at(w->list, w->index);

	if (e && takes_connections(w->list, e)) {
		w->destination = e->first;
		return 1;
	}
	w->index = list_next(w->list, w->index);
	return 0;
}

static __always_inline void schedule_rr(struct list *l, __u64 cursor, struct pick *pick)
{
	struct rr_walk w = { .list = l };
	__u32 index, value;

	cursor_read(l, cursor, &index, &value);
	w.index = list_next(l, index);
	bpf_loop(l->count, rr_step, &w, 0);
	pick->destination = w.destination;
	pick->moves_cursor = w.destination != 0;
	pick->cursor_after = cursor_make(l, w.index, 0);
}

#endif
