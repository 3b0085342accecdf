/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asks a service's scheduler for a destination. A new scheduler is one header in schedule/ and one case here. */
#ifndef LIMPET_SCHEDULE_H
#define LIMPET_SCHEDULE_H

#include "schedule/hash.h"
#include "schedule/least.h"
#include "schedule/list.h"
#include "schedule/rr.h"
#include "schedule/wrr.h"

static __always_inline struct limpet_service_state *service_state(__u32 service)
{
	return bpf_map_lookup_elem(&service_states, &service);
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
	case LIMPET_LC:
		schedule_least(&l, 0, pick);
		break;
	case LIMPET_WLC:
		schedule_least(&l, 1, pick);
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
