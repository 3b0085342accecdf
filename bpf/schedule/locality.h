/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What lblc and lblcr have in common: they remember which servers a virtual address was given, and choose like wlc where
 * they remember none that will do. */
#ifndef LIMPET_SCHEDULE_LOCALITY_H
#define LIMPET_SCHEDULE_LOCALITY_H

#include "counted.h"
#include "least.h"

/* What schedule_commit() is to do. */
enum locality_change {
	LOCALITY_NONE,
	LOCALITY_USED,  /* nothing but that it has been used */
	LOCALITY_CHOSEN /* a server that is not remembered yet */
};

/* Too large for the stack, as the openings (open.h). */
struct locality_work {
	struct limpet_locality_key key;
	struct load leaving_load;
	__u32 leaving; /* id; 0: no flow leaves */
	__u32 zero;
	struct limpet_locality_set set; /* written anew here before it replaces the old one */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locality_work);
} locality_works SEC(".maps");

struct locality_walk {
	struct counted_walk counted;
	struct locality_work *work;
	struct limpet_locality_set *set; /* lblcr's; null: none */
};

static __always_inline struct locality_work *locality_work(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&locality_works, &zero);
}

static __always_inline void locality_key(struct limpet_locality_key *key, __u32 service,
					 const struct limpet_service_state *state, const struct packet *p)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->service = service;
	key->epoch = *(volatile __u32 *)&state->epoch;
	*(__u32 *)key->address = p->key.virtual_address;
}

static __always_inline __u64 locality_ticks(__u32 seconds)
{
	return LIMPET_SECONDS_TO_TICKS((__u64)(seconds ? seconds : LIMPET_LOCALITY_SECONDS));
}

/* Another CPU's clock may be a tick ahead. */
static __always_inline __u64 locality_age(__u64 then, __u64 now) { return now > then ? now - then : 0; }

static __always_inline void locality_touch(__u64 *used, __u64 now)
{
	if (locality_age(*used, now) >= LIMPET_TICKS_PER_SECOND)
		*(volatile __u64 *)used = now;
}

/* The server that was meant, configured or removed; null: it has been forgotten, or its id is another's. The memory of an
 * entry may be given to another service's while it is read, so an id is not taken without a look at whose it is. */
static __always_inline struct limpet_destination *locality_server(__u32 service, __u32 id, __u64 changed)
{
	struct limpet_destination *d = bpf_map_lookup_elem(&destinations, &id);

	return d && (d->flags & LIMPET_DESTINATION_USED) && d->service_id == service && d->born <= changed ? d : 0;
}

/* Returns 0 if the service has no destinations. */
static __always_inline int locality_begin(struct locality_walk *w, __u32 service, __u64 published,
					  const struct packet *p, const struct leaving *leaving, struct pick *pick)
{
	struct limpet_service_state *state = pick_open(pick, service, published, leaving);
	struct locality_work *work = locality_work();

	if (!state || !work)
		return 0;
	w->counted.pick = pick;
	w->work = work;
	work->leaving = 0;
	if (leaving) {
		work->leaving = leaving->destination;
		work->leaving_load = leaving->load;
	}
	locality_key(&work->key, service, state, p);
	return 1;
}

/* Without the flow that leaves. */
static __always_inline struct load locality_load(const struct locality_walk *w, __u32 id, struct load load)
{
	if (id == w->work->leaving) {
		load.active -= w->work->leaving_load.active;
		load.total -= w->work->leaving_load.total;
	}
	return load;
}

/* Thresholds are not asked. */
static long locality_idle_step(__u32 round, void *argument)
{
	struct locality_walk *w = argument;
	struct pick *pick = w->counted.pick;

	gather(pick, round, 0);
	_Pragma("clang loop unroll(full)") for (__u32 i = 0; i < SERVERS_A_ROUND; i++)
	{
		const struct server *s = &pick->servers.each[i];

		if (!s->destination || locality_load(w, s->destination, load_at(s)).active * 2 >= s->weight)
			continue;
		pick->found = 1;
		return 1;
	}
	return 0;
}

/* is_overloaded() of ip_vs_lblc.c and ip_vs_lblcr.c, which has nothing to do with thresholds: more active connections
 * than its weight, while another server has fewer than half of its own. */
static __always_inline int locality_is_crowded(struct locality_walk *w, __u32 id, __u32 weight)
{
	struct pick *pick = w->counted.pick;

	if (locality_load(w, id, load_of(id)).active <= weight)
		return 0;
	pick->found = 0;
	bpf_loop(rounds_for(pick->list.count), locality_idle_step, w, 0);
	return pick->found;
}

EACH_SERVER(locality_wlc_step, struct locality_walk, w->counted,
	    wlc_offer(&best, s, locality_load(w, s->destination, load_at(s))))

static __always_inline void locality_choose(struct locality_walk *w)
{
	struct pick *pick = w->counted.pick;

	pick_nobody(pick);
	bpf_loop(rounds_for(pick->list.count), locality_wlc_step, w, 0);
	pick->remembers = pick->destination ? LOCALITY_CHOSEN : LOCALITY_NONE;
}

#endif
