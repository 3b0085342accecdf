/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Weighted round robin (ip_vs_wrr.c): the current weight falls from the highest by the weights' common divisor; at
 * each level the servers with at least that weight are served in order. */
#ifndef LIMPET_SCHEDULE_WRR_H
#define LIMPET_SCHEDULE_WRR_H

#include "fo.h"
#include "hash.h"
#include "list.h"

struct wrr_walk {
	struct list *list;
	__u32 index;
	__u32 level; /* current weight */
	__u32 heaviest;
	__u32 destination;
};

/* The level to start the next round with; wraps to the top, as the kernel's mw does. */
static __always_inline __u32 wrr_lower(const struct list *l, __u32 level)
{
	__u32 top = l->max_weight - (l->gcd - 1);

	return level > l->gcd ? level - l->gcd : top;
}

/* The level of the next round in which there is a server that is not overloaded. The kernel goes down to it round by
 * round, which no program of ours may take the time for. `heaviest`: of those servers, not 0. */
static __always_inline __u32 wrr_lower_to(const struct list *l, __u32 level, __u32 heaviest)
{
	__u32 highest = heaviest - (l->gcd - 1);

	level = wrr_lower(l, level);
	return level < highest ? level : highest;
}

static long wrr_step(__u32 round, void *argument)
{
	struct wrr_walk *w = argument;

	_Pragma("clang loop unroll(full)") for (__u32 i = 0; i < SERVERS_A_ROUND; i++)
	{
		struct limpet_list_entry *e = list_at(w->list, w->index);

		if (e && e->second >= w->level && takes_connections(w->list, e)) {
			w->destination = e->first;
			return 1;
		}
		if (++w->index >= w->list->count) {
			w->index = 0;
			w->level = wrr_lower_to(w->list, w->level, w->heaviest);
		}
	}
	return 0;
}

/* The highest weight of a server that is not overloaded; 0: all are. */
static __always_inline __u32 wrr_heaviest(struct list *l, struct pick *pick)
{
	struct counted_walk w = { .pick = pick };

	if (!l->thresholds)
		return l->max_weight;
	bpf_loop(rounds_for(l->count), fo_step, &w, 0);
	pick->destination = 0;
	return pick->weight;
}

static __always_inline void schedule_wrr(struct list *l, __u64 cursor, struct pick *pick)
{
	struct wrr_walk w = { .list = l };
	__u32 top = l->max_weight - (l->gcd - 1);
	__u32 index, value;

	if (!l->max_weight)
		return;
	w.heaviest = wrr_heaviest(l, pick);
	cursor_read(l, cursor, &index, &value);
	w.level = value ? value : top;
	if (!w.heaviest) {
		/* All are overloaded: the kernel has looked at all levels, and stands at the head of the highest, unless
		 * it began with the last one. */
		pick->moves_cursor = index == LIMPET_CURSOR_HEAD || w.level > l->gcd;
		pick->cursor_after = cursor_make(l, LIMPET_CURSOR_HEAD, top);
		return;
	}
	if (index == LIMPET_CURSOR_HEAD) {
		w.index = 0;
	} else if (index + 1 < l->count) {
		w.index = index + 1;
	} else {
		w.index = 0;
		w.level = wrr_lower_to(l, w.level, w.heaviest);
	}
	/* Twice round is enough: the heaviest server is served at every level that is gone to. */
	bpf_loop(rounds_for(2 * l->count), wrr_step, &w, 0);
	pick->destination = w.destination;
	/* The heaviest one has been overloaded meanwhile. */
	if (!w.destination)
		first_from(l, 0, pick);
	pick->moves_cursor = w.destination != 0;
	pick->cursor_after = cursor_make(l, w.index, w.level);
}

#endif
