/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A service's published destinations, and what a scheduler says about them. */
#ifndef LIMPET_SCHEDULE_LIST_H
#define LIMPET_SCHEDULE_LIST_H

#include "../maps.h"
#include "../packet.h"

struct list {
	__u32 base; /* of the first destination */
	__u32 count;
	__u32 generation;
	__u32 scheduler;
	__u32 start_index, start_value; /* where rr and wrr begin in this generation */
	__u32 max_weight, gcd;
};

/* A scheduler proposes; the cursor moves only when the proposal is taken (schedule_commit()), since the XDP door may
 * still have to hand the packet on untouched. */
struct pick {
	__u32 destination; /* id; 0: none available */
	__u32 moves_cursor;
	__u64 cursor_before, cursor_after;
	__s64 overhead, weight; /* of the destination, for schedulers that compare (counted.h) */
};

static __always_inline struct limpet_list_entry *list_at(const struct list *l, __u32 index)
{
	__u32 slot = l->base + index;

	return bpf_map_lookup_elem(&lists, &slot);
}

/* Returns 0 if the service has no destinations. */
static __always_inline int list_open(struct list *l, __u64 published)
{
	struct limpet_list_entry *start, *weights;

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
