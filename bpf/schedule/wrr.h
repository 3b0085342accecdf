/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Weighted round robin (ip_vs_wrr.c): the current weight falls from the highest by the weights' common divisor; at
 * each level the servers with at least that weight are served in order. */
#ifndef LIMPET_SCHEDULE_WRR_H
#define LIMPET_SCHEDULE_WRR_H

#include "list.h"

struct wrr_walk {
	struct list *list;
	__u32 index;
	__u32 level; /* current weight */
	__u32 destination;
};

/* The level to start the next round with; wraps to the top, as the kernel's mw does. */
static __always_inline __u32 wrr_lower(const struct list *l, __u32 level)
{
	__u32 top = l->max_weight - (l->gcd - 1);

	return level > l->gcd ? level - l->gcd : top;
}

static long wrr_step(__u32 step, void *argument)
{
	struct wrr_walk *w = argument;
	struct limpet_list_entry *e = list_at(w->list, w->index);

	if (e && e->second >= w->level) {
		w->destination = e->first;
		return 1;
	}
	if (++w->index >= w->list->count) {
		w->index = 0;
		w->level = wrr_lower(w->list, w->level);
	}
	return 0;
}

static __always_inline void schedule_wrr(struct list *l, __u64 cursor, struct pick *pick)
{
	struct wrr_walk w = { .list = l };
	__u32 index, value;

	if (!l->max_weight)
		return;
	cursor_read(l, cursor, &index, &value);
	w.level = value ? value : l->max_weight - (l->gcd - 1);
	if (index == LIMPET_CURSOR_HEAD) {
		w.index = 0;
	} else if (index + 1 < l->count) {
		w.index = index + 1;
	} else {
		w.index = 0;
		w.level = wrr_lower(l, w.level);
	}
	/* Twice round is enough: the heaviest server is served at every level. */
	bpf_loop(2 * l->count, wrr_step, &w, 0);
	pick->destination = w.destination;
	pick->moves_cursor = w.destination != 0;
	pick->cursor_after = cursor_make(l, w.index, w.level);
}

#endif
