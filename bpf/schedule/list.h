/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A service's published destinations, and what a scheduler says about them. */
#ifndef LIMPET_SCHEDULE_LIST_H
#define LIMPET_SCHEDULE_LIST_H

#include "../maps.h"
#include "../overload.h"
#include "../packet.h"

struct list {
	__u32 base; /* of the first destination */
	__u32 count;
	__u32 generation;
	__u32 scheduler;
	union {
		__u32 start_index; /* where rr and wrr begin in this generation */
		__u32 flags;       /* LIMPET_SERVICE_SCHEDULER_FLAGS, for schedulers that hash */
		__u32 units;       /* that twos draws from */
	};
	union {
		__u32 start_value;
		__u32 buckets;
		__u32 extra; /* place of the server that has a unit more than its weight */
	};
	__u32 max_weight, gcd;
	__u32 thresholds; /* servers may be overloaded */
	__u32 relieved;   /* id of one that is to be taken for not overloaded; 0: none */
};

/* A server as the schedulers see it that look at all of them. */
struct server {
	__u32 destination; /* id; 0: nobody, or one that takes no connections */
	__u32 weight;
	__s64 active, total;
};

/* One round of a loop looks at this many servers: where the processor's returns are guarded (safe RET, retpolines), a
 * callback's return costs as much as looking at several. */
#define SERVERS_A_ROUND 8U

struct servers {
	struct server each[SERVERS_A_ROUND];
};

/* A scheduler proposes; the cursor moves only when the proposal is taken (schedule_commit()), since the XDP door may
 * still have to hand the packet on untouched. */
struct pick {
	__u32 destination; /* id; 0: none available */
	__u32 moves_cursor;
	__u32 remembers; /* enum locality_change */
	__u32 forgets;   /* id of the server that leaves the address' set; 0: none */
	__u32 found;     /* what a walk has looked for */
	__u32 zero;
	__u64 cursor_before, cursor_after;
	__s64 overhead, weight; /* for schedulers that compare (counted.h): of the destination, or pick_nobody()'s */
	struct list list;       /* that was asked: the stack has no room for it */
	struct servers servers; /* of one round; last, since it is not cleared */
};

/* What a pick begins with zeroed. Clearing the rest would cost every new connection, and only a round reads it, which
 * has written it before. */
#define PICK_CLEARED offsetof(struct pick, servers)

static __always_inline struct limpet_service_state *service_state(__u32 service)
{
	return bpf_map_lookup_elem(&service_states, &service);
}

/* The kernel makes a bpf_loop() a plain loop if its callback is always the same. The empty assembly, other for each
 * scheduler, keeps the compiler from making all these calls one that has many. */
#define WALK(steps, step, w, scheduler)                                                                                \
	do {                                                                                                           \
		bpf_loop(steps, step, w, 0);                                                                           \
		asm volatile("" : : "i"(scheduler));                                                                   \
	} while (0)

static __always_inline struct limpet_list_entry *list_at(const struct list *l, __u32 index)
{
	__u32 slot = l->base + index;

	return bpf_map_lookup_elem(&lists, &slot);
}

/* Whether it is to be given new connections. Only where there are thresholds more than the list is looked at. */
static __always_inline int takes_connections(const struct list *l, const struct limpet_list_entry *e)
{
	return e->second && (!l->thresholds || e->first == l->relieved || !is_overloaded(e->first));
}

static __always_inline __u64 published_by(const struct limpet_service_state *state)
{
	return *(volatile __u64 *)&state->published;
}

/* `published`: the service's word, read once by who goes by its scheduler. Returns 0 if the service has no destinations. */
static __always_inline int list_open(struct list *l, const struct limpet_service_state *state, __u64 published)
{
	struct limpet_list_entry *start, *weights;

	l->thresholds = !!(state->flags & LIMPET_STATE_THRESHOLDS);
	l->relieved = 0;
	l->base = ((published >> LIMPET_PUBLISHED_BASE_SHIFT) & LIMPET_PUBLISHED_BASE_MASK);
	l->count = (published >> LIMPET_PUBLISHED_COUNT_SHIFT) & LIMPET_PUBLISHED_COUNT_MASK;
	l->generation = (published >> LIMPET_PUBLISHED_GENERATION_SHIFT) & LIMPET_PUBLISHED_GENERATION_MASK;
	l->scheduler = published >> LIMPET_PUBLISHED_SCHEDULER_SHIFT;
	if (!l->count)
		return 0;
	start = list_at(l, 0);
	weights = list_at(l, 1);
	if (!start || !weights)
		return 0;
	l->start_index = start->first;
	l->start_value = start->second;
	l->max_weight = weights->first;
	l->gcd = weights->second;
	l->base += LIMPET_LIST_HEADER;
	return 1;
}

static __always_inline __u64 cursor_make(const struct list *l, __u32 index, __u32 value)
{
	return (__u64)l->generation << LIMPET_CURSOR_GENERATION_SHIFT |
	       (__u64)(index & LIMPET_CURSOR_INDEX_MASK) << LIMPET_CURSOR_INDEX_SHIFT | value;
}

/* Splits `cursor`, or gives this generation's start if it belongs to another. */
static __always_inline void cursor_read(const struct list *l, __u64 cursor, __u32 *index, __u32 *value)
{
	if (cursor >> LIMPET_CURSOR_GENERATION_SHIFT == l->generation) {
		*index = (cursor >> LIMPET_CURSOR_INDEX_SHIFT) & LIMPET_CURSOR_INDEX_MASK;
		*value = cursor & LIMPET_CURSOR_VALUE_MASK;
	} else {
		*index = l->start_index;
		*value = l->start_value;
	}
}

/* The place after `index`, LIMPET_CURSOR_HEAD included. */
static __always_inline __u32 list_next(const struct list *l, __u32 index)
{
	return index + 1 < l->count ? index + 1 : 0;
}

#endif
