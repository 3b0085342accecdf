/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The power of two choices (ip_vs_twos.c): two servers are drawn by their weights, the less loaded one is taken. limpetd
 * lays out a table to draw from (src/dataplane/alias_table.h), so that a draw costs the same for any number of servers. */
#ifndef LIMPET_SCHEDULE_TWOS_H
#define LIMPET_SCHEDULE_TWOS_H

#include "least.h"

/* Draws that may meet overloaded servers before the list is walked as the kernel does. */
#define TWOS_DRAWS 8

struct twos_walk {
	struct list *list;
	struct pick *pick; /* destination and weight: who was drawn; overhead: what is left of a number, or the sum */
};

static __always_inline __u64 random_below(__u64 most) { return bpf_get_prandom_u32() * most >> 32; }

static long twos_first_step(__u32 index, void *argument)
{
	struct twos_walk *w = argument;
	struct limpet_list_entry *e = list_at(w->list, index);

	if (!e || !takes_connections(w->list, e))
		return 0;
	w->pick->destination = e->first;
	w->pick->weight = e->second;
	return 1;
}

static long twos_sum_step(__u32 index, void *argument)
{
	struct twos_walk *w = argument;
	struct limpet_list_entry *e = list_at(w->list, index);

	if (e && takes_connections(w->list, e))
		w->pick->overhead += e->second;
	return 0;
}

static long twos_find_step(__u32 index, void *argument)
{
	struct twos_walk *w = argument;
	struct limpet_list_entry *e = list_at(w->list, index);

	if (!e || !takes_connections(w->list, e))
		return 0;
	w->pick->destination = e->first;
	w->pick->weight = e->second;
	w->pick->overhead -= e->second;
	return w->pick->overhead <= 0;
}

/* The kernel's way: among those that are not overloaded. */
static __always_inline void twos_walk_list(struct twos_walk *w)
{
	w->pick->destination = 0;
	w->pick->overhead = 0;
	bpf_loop(w->list->count, twos_sum_step, w, 0);
	w->pick->overhead = random_below(w->pick->overhead + 1);
	bpf_loop(w->list->count, twos_find_step, w, 0);
}

/* One draw. One that meets an overloaded server is made again, which leaves the others' shares as they are; but the unit
 * that the first server has more is that of the first one which is not overloaded. Returns 0 if it is to be made again. */
static long twos_draw_step(__u32 index, void *argument)
{
	struct twos_walk *w = argument;
	struct list *l = w->list;
	__u32 column = random_below(l->count), unit = random_below(l->units);
	struct limpet_list_entry *c = list_at(l, l->count + column);
	struct limpet_list_entry *e;
	__u32 place;

	if (!c)
		return 0;
	place = unit < c->second ? column : c->first;
	e = list_at(l, place);
	if (!e)
		return 0;
	if (takes_connections(l, e)) {
		w->pick->destination = e->first;
		w->pick->weight = e->second;
		return 1;
	}
	if (place != l->extra || random_below((__u64)e->second + 1))
		return 0;
	w->pick->found = 1; /* the unit in question */
	return 1;
}

static __always_inline void twos_draw(struct twos_walk *w)
{
	w->pick->destination = 0;
	w->pick->found = 0;
	bpf_loop(TWOS_DRAWS, twos_draw_step, w, 0);
	if (w->pick->found)
		bpf_loop(w->list->count, twos_first_step, w, 0);
	else if (!w->pick->destination)
		twos_walk_list(w);
}

/* A flow that leaves counts as it does until then: the draw cannot be foretold anyway. */
GLOBAL int schedule_twos(__u32 service, __u64 published, const struct leaving *leaving, struct pick *pick)
{
	struct twos_walk w = {};
	__s64 weight;
	__u32 first;

	if (!pick || !pick_open(pick, service, published, leaving) || !pick->list.units)
		return 0;
	w.list = &pick->list;
	w.pick = pick;
	twos_draw(&w);
	first = pick->destination;
	weight = pick->weight;
	if (!first)
		return 0;
	twos_draw(&w);
	/* The first one drawn wins a tie; by now there may be nobody any more. */
	if (!pick->destination ||
	    pick->weight * least_overhead(load_of(first)) <= weight * least_overhead(load_of(pick->destination)))
		pick->destination = first;
	return 0;
}

#endif
