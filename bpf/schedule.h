/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asks a service's scheduler for a destination. A new scheduler is one header in schedule/ and one case here. */
#ifndef LIMPET_SCHEDULE_H
#define LIMPET_SCHEDULE_H

#include "schedule/dh.h"
#include "schedule/fo.h"
#include "schedule/hash.h"
#include "schedule/lblc.h"
#include "schedule/lblcr.h"
#include "schedule/least.h"
#include "schedule/list.h"
#include "schedule/maglev.h"
#include "schedule/mh.h"
#include "schedule/nq.h"
#include "schedule/ovf.h"
#include "schedule/rr.h"
#include "schedule/sed.h"
#include "schedule/sh.h"
#include "schedule/twos.h"
#include "schedule/wrr.h"

/* The schedulers that look at every server. */
static __always_inline void schedule_best(struct list *l, struct pick *pick)
{
	struct counted_walk w = { .pick = pick };
	__u32 rounds = rounds_for(l->count);

	switch (l->scheduler) {
	case LIMPET_LC:
		WALK(rounds, lc_step, &w, LIMPET_LC);
		break;
	case LIMPET_WLC:
		WALK(rounds, wlc_step, &w, LIMPET_WLC);
		break;
	case LIMPET_SED:
		WALK(rounds, sed_step, &w, LIMPET_SED);
		break;
	case LIMPET_NQ:
		WALK(rounds, nq_step, &w, LIMPET_NQ);
		break;
	case LIMPET_FO:
		WALK(rounds, fo_step, &w, LIMPET_FO);
		break;
	case LIMPET_OVF:
		WALK(rounds, ovf_step, &w, LIMPET_OVF);
		break;
	}
}

/* Those that walk the list of servers. */
GLOBAL int schedule_by_list(__u32 service, __u64 published, const struct leaving *leaving, struct pick *pick)
{
	struct limpet_service_state *state = pick ? pick_open(pick, service, published, leaving) : 0;
	struct list *l;
	__u64 cursor;

	if (!state)
		return 0;
	l = &pick->list;
	cursor = *(volatile __u64 *)&state->cursor;
	pick->cursor_before = cursor;
	switch (l->scheduler) {
	case LIMPET_RR:
		schedule_rr(l, cursor, pick);
		break;
	case LIMPET_WRR:
		schedule_wrr(l, cursor, pick);
		break;
	default:
		schedule_best(l, pick);
		break;
	}
	return 0;
}

/* Those that hash. */
GLOBAL int schedule_by_table(__u32 service, __u64 published, struct packet *p, const struct leaving *leaving,
			     struct pick *pick)
{
	struct list *l;

	if (!p || !pick || !pick_open(pick, service, published, leaving))
		return 0;
	l = &pick->list;
	switch (l->scheduler) {
	case LIMPET_DH:
		schedule_dh(l, p, pick);
		break;
	case LIMPET_SH:
		schedule_sh(l, p, pick);
		break;
	case LIMPET_MH:
		schedule_mh(l, p, pick);
		break;
	case LIMPET_MAGLEV:
		schedule_maglev(l, p, pick);
		break;
	}
	return 0;
}

/* Functions of their own, since one for all would need more of the stack than there is: 96 bytes, at Linux 6.1's
 * reckoning. All go by one word: in between another scheduler may be published, to which the list means something else.
 * Fills `pick` for the packet; pick->destination is 0 if no destination is available. `leaving`: a flow whose end is to be
 * foreseen, null: none. */
GLOBAL int schedule(__u32 service, struct packet *p, const struct leaving *leaving, struct pick *pick)
{
	struct limpet_service_state *state = service_state(service);
	__u64 published = state ? published_by(state) : 0;

	if (!p || !pick)
		return 0;
	switch (published >> LIMPET_PUBLISHED_SCHEDULER_SHIFT) {
	case LIMPET_DH:
	case LIMPET_SH:
	case LIMPET_MH:
	case LIMPET_MAGLEV:
		schedule_by_table(service, published, p, leaving, pick);
		break;
	case LIMPET_LBLC:
		schedule_lblc(service, published, p, leaving, pick);
		break;
	case LIMPET_LBLCR:
		schedule_lblcr(service, published, p, leaving, pick);
		break;
	case LIMPET_TWOS:
		schedule_twos(service, published, leaving, pick);
		break;
	default:
		schedule_by_list(service, published, leaving, pick);
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
	__builtin_memset(pick, 0, PICK_CLEARED);
	if (state && list_open(&l, state, published_by(state)))
		schedule_hash(&l, hash, pick);
	return 0;
}

/* Moves the cursor for `pick`, or remembers it. Returns 0 if another CPU moved the cursor meanwhile: pick again. */
static __always_inline int schedule_commit(__u32 service, struct packet *p, struct pick *pick)
{
	struct limpet_service_state *state = service_state(service);

	if (pick->remembers)
		locality_remember(service, p, pick);
	if (!pick->moves_cursor || !state)
		return 1;
	return __sync_bool_compare_and_swap(&state->cursor, pick->cursor_before, pick->cursor_after);
}

#endif
