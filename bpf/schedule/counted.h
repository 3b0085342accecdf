/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is common to the schedulers that look at every server and keep the best: those of connection counts and fo. An
 * offer judges one server with a load it is told; explain.h makes the same offers with a load that is about to be. */
#ifndef LIMPET_SCHEDULE_COUNTED_H
#define LIMPET_SCHEDULE_COUNTED_H

#include "list.h"

/* Connections of a server. */
struct load {
	__s64 active;
	__s64 total;
};

/* A flow that ends when the packet comes: what it weighs and its hold on the template are given back before others are
 * asked (flow_settle()). Only a forecast has such a one (explain.h). */
struct leaving {
	__u32 destination;     /* 0: none */
	__u32 relieved;        /* the same, if its end relieves the server of its overload; 0: it does not */
	__u32 template_serial; /* 0: none */
	__u32 zero;
	struct load load;
	__u64 ended;
};

/* None yet: any server's overhead/weight is less than one over nothing. */
static __always_inline void pick_nobody(struct pick *pick)
{
	pick->destination = 0;
	pick->overhead = 1;
	pick->weight = 0;
}

/* Begins `pick` with its list. `leaving`: a flow whose end is to be foreseen, null: none. Returns null if there is
 * nobody to pick. */
static __always_inline struct limpet_service_state *pick_open(struct pick *pick, __u32 service, __u64 published,
							      const struct leaving *leaving)
{
	struct limpet_service_state *state = service_state(service);

	__builtin_memset(pick, 0, PICK_CLEARED);
	pick_nobody(pick);
	if (!state || !list_open(&pick->list, state, published))
		return 0;
	if (leaving)
		pick->list.relieved = leaving->relieved;
	return state;
}

/* Between rounds the best so far is kept in the pick, which is memory that the verifier knows nothing of, and never on
 * the stack: up to Linux 6.6 it looks at a loop's callback once, with what the stack holds before the first round, and
 * takes out the branches that this round does not take. */
struct counted_walk {
	struct pick *pick; /* with the list */
};

/* The best so far while one round lasts. */
struct best {
	__u32 destination; /* id; 0: none */
	__s64 overhead, weight;
};

static __always_inline struct best best_of(const struct pick *pick)
{
	struct best best = { pick->destination, pick->overhead, pick->weight };

	return best;
}

static __always_inline void keep_best(struct pick *pick, const struct best *best)
{
	pick->destination = best->destination;
	pick->overhead = best->overhead;
	pick->weight = best->weight;
}

static __always_inline struct load load_of(__u32 destination)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);
	struct load load = {};

	if (c) {
		load.active = c->active;
		load.total = c->total;
	}
	return load;
}

/* Member by member: a struct copied whole out of memory that it does not know is loaded byte by byte. */
static __always_inline struct load load_at(const struct server *s)
{
	struct load load = { s->active, s->total };

	return load;
}

static __always_inline void look_at(const struct list *l, __u32 index, __u32 thresholds, struct server *s)
{
	struct limpet_list_entry *e = index < l->count ? list_at(l, index) : 0;
	struct limpet_counts *c;

	s->destination = 0;
	if (!e || !e->second)
		return;
	c = bpf_map_lookup_elem(&counts, &e->first);
	if (!c || (thresholds && e->first != l->relieved && *(volatile __u32 *)&c->overloaded))
		return;
	s->destination = e->first;
	s->weight = e->second;
	s->active = c->active;
	s->total = c->total;
}

/* Looks at the servers of one round. `thresholds`: one that is overloaded is nobody. All schedulers ask the tables here,
 * since the kernel, when it loads a program, puts instructions in the place of each look-up, and for each moves the whole
 * program: with sixteen look-ups a scheduler, loading took a third to a half longer. */
GLOBAL int gather(struct pick *pick, __u32 round, __u32 thresholds)
{
	if (!pick)
		return 0;
	_Pragma("clang loop unroll(full)") for (__u32 i = 0; i < SERVERS_A_ROUND; i++)
		look_at(&pick->list, round * SERVERS_A_ROUND + i, thresholds, &pick->servers.each[i]);
	return 0;
}

static __always_inline __u32 rounds_for(__u32 servers) { return (servers + SERVERS_A_ROUND - 1) / SERVERS_A_ROUND; }

/* A callback for bpf_loop() over rounds_for() rounds: evaluates `offer` for each server `s` of the list that takes
 * connections, until it is not 0. In it, `w` is the callback's argument, a `type`, `walk` the counted_walk that is or is
 * in that, and `best` the best so far. Unrolled, so that the best stays where it is in the registers. */
#define EACH_SERVER(step, type, walk, offer)                                                                           \
	static long step(__u32 round, void *argument)                                                                  \
	{                                                                                                              \
		type *w = argument;                                                                                    \
		struct pick *pick = (walk).pick;                                                                       \
		struct best best = best_of(pick);                                                                      \
		long enough = 0;                                                                                       \
                                                                                                                       \
		gather(pick, round, pick->list.thresholds);                                                            \
		_Pragma("clang loop unroll(full)") for (__u32 i = 0; i < SERVERS_A_ROUND; i++)                         \
		{                                                                                                      \
			const struct server *s = &pick->servers.each[i];                                               \
                                                                                                                       \
			if (s->destination && (enough = (offer)))                                                      \
				break;                                                                                 \
		}                                                                                                      \
		keep_best(pick, &best);                                                                                \
		return enough;                                                                                         \
	}

static __always_inline void keep(struct best *best, __u32 destination, __s64 overhead, __s64 weight)
{
	best->destination = destination;
	best->overhead = overhead;
	best->weight = weight;
}

/* Keeps the smaller overhead/weight, cross-multiplied as the kernel does; the first one in the list wins a tie. */
static __always_inline void keep_least(struct best *best, __u32 destination, __s64 overhead, __s64 weight)
{
	if (best->overhead * weight > overhead * best->weight)
		keep(best, destination, overhead, weight);
}

#endif
