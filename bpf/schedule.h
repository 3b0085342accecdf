/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asks a service's scheduler for a destination. A new scheduler is one header in schedule/ and one case here. */
#ifndef LIMPET_SCHEDULE_H
#define LIMPET_SCHEDULE_H

#include "schedule/fo.h"
#include "schedule/hash.h"
#include "schedule/least.h"
#include "schedule/list.h"
#include "schedule/nq.h"
#include "schedule/ovf.h"
#include "schedule/rr.h"
#include "schedule/sed.h"
#include "schedule/wrr.h"

static __always_inline struct limpet_service_state *service_state(__u32 service)
{
	return bpf_map_lookup_elem(&service_states, &service);
}

/* The kernel makes a bpf_loop() a plain loop if its callback is always the same. The empty assembly, other for each
 * scheduler, keeps the compiler from making all these calls one that has many. */
#define WALK_ALL(l, step, w, scheduler)                                                                                \
	do {                                                                                                           \
		bpf_loop((l)->count, step, w, 0);                                                                      \
		asm volatile("" : : "i"(scheduler));                                                                   \
	} while (0)

/* The schedulers that need no cursor. */
static __always_inline void schedule_best(struct list *l, struct pick *pick)
{
	struct counted_walk w = { .list = l, .best = pick };

	switch (l->scheduler) {
	case LIMPET_LC:
		WALK_ALL(l, lc_step, &w, LIMPET_LC);
		break;
	case LIMPET_WLC:
		WALK_ALL(l, wlc_step, &w, LIMPET_WLC);
		break;
	case LIMPET_SED:
		WALK_ALL(l, sed_step, &w, LIMPET_SED);
		break;
	case LIMPET_NQ:
		WALK_ALL(l, nq_step, &w, LIMPET_NQ);
		break;
	case LIMPET_FO:
		WALK_ALL(l, fo_step, &w, LIMPET_FO);
		break;
	case LIMPET_OVF:
		WALK_ALL(l, ovf_step, &w, LIMPET_OVF);
		break;
	}
}

/* Fills `pick`; pick->destination is 0 if no destination is available. */
GLOBAL int schedule(__u32 service, struct pick *pick)
{
	struct limpet_service_state *state = service_state(service);
	struct list l;
	__u64 cursor;

	if (!pick)
		return 0;
	__builtin_memset(pick, 0, sizeof(*pick));
	if (!state || !list_open(&l, *(volatile __u64 *)&state->published))
		return 0;
	cursor = *(volatile __u64 *)&state->cursor;
	pick->cursor_before = cursor;
	switch (l.scheduler) {
	case LIMPET_RR:
		schedule_rr(&l, cursor, pick);
		break;
	case LIMPET_WRR:
		schedule_wrr(&l, cursor, pick);
		break;
	default:
		schedule_best(&l, pick);
		break;
	}
	return 0;
}

GLOBAL int schedule_by_hash(__u32 service, struct pick *pick, __u32 hash)
{
	struct limpet_service_state *state = service_state(service);
	struct list l;

	if (!pick)
		return 0;
	__builtin_memset(pick, 0, sizeof(*pick));
	if (state && list_open(&l, *(volatile __u64 *)&state->published))
		schedule_hash(&l, hash, pick);
	return 0;
}

/* Moves the cursor for `pick`. Returns 0 if another CPU moved it meanwhile: pick again. */
static __always_inline int schedule_commit(__u32 service, const struct pick *pick)
{
	struct limpet_service_state *state = service_state(service);

	if (!pick->moves_cursor || !state)
		return 1;
	return __sync_bool_compare_and_swap(&state->cursor, pick->cursor_before, pick->cursor_after);
}

#endif
