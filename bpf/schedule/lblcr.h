/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Locality-based least connection with replication (ip_vs_lblcr.c): a virtual address has a set of servers and is given
 * the least loaded of them. If that one is crowded, or none of them serves, the least loaded of all joins the set; a set
 * that has not changed for long loses its most loaded server. */
#ifndef LIMPET_SCHEDULE_LBLCR_H
#define LIMPET_SCHEDULE_LBLCR_H

#include "lblc.h"
#include "locality.h"

static __always_inline __u32 set_member(const struct limpet_locality_set *set, __u32 index)
{
	return index < LIMPET_LOCALITY_SERVERS ? set->destinations[index] : 0;
}

/* ip_vs_dest_set_min(). */
static long set_least_step(__u32 index, void *argument)
{
	struct locality_walk *w = argument;
	struct list *l = &w->counted.pick->list;
	__u32 id = set_member(w->set, index);
	struct limpet_destination *d = locality_server(w->work->key.service, id, w->set->changed);
	struct best best = best_of(w->counted.pick);

	if (!d || !(d->flags & LIMPET_DESTINATION_AVAILABLE) || !d->weight ||
	    (l->thresholds && id != l->relieved && is_overloaded(id)))
		return 0;
	keep_least(&best, id, least_overhead(locality_load(w, id, load_of(id))), d->weight);
	keep_best(w->counted.pick, &best);
	return 0;
}

/* ip_vs_dest_set_max(). */
static long set_most_step(__u32 index, void *argument)
{
	struct locality_walk *w = argument;
	struct pick *most = w->counted.pick;
	__u32 id = set_member(w->set, index);
	struct limpet_destination *d = locality_server(w->work->key.service, id, w->set->changed);
	__s64 overhead;

	if (!d || !d->weight)
		return 0;
	overhead = least_overhead(locality_load(w, id, load_of(id)));
	if (most->destination && most->overhead * d->weight >= overhead * most->weight)
		return 0;
	most->destination = id;
	most->overhead = overhead;
	most->weight = d->weight;
	return 0;
}

static long set_find_step(__u32 index, void *argument)
{
	struct locality_walk *w = argument;
	__u32 id = set_member(w->set, index);

	if (id != w->counted.pick->destination || !locality_server(w->work->key.service, id, w->set->changed))
		return 0;
	w->counted.pick->found = 1;
	return 1;
}

static __always_inline int set_is_old(const struct limpet_locality_set *set, __u64 now)
{
	struct limpet_config *c = config_get();

	return c && locality_age(set->changed, now) > locality_ticks(c->lblcr_expiration);
}

GLOBAL int schedule_lblcr(__u32 service, __u64 published, struct packet *p, const struct leaving *leaving,
			  struct pick *pick)
{
	struct locality_walk w = {};
	__u32 least, weight;

	if (!p || !pick || !locality_begin(&w, service, published, p, leaving, pick))
		return 0;
	w.set = bpf_map_lookup_elem(&locality_sets, &w.work->key);
	if (!w.set) {
		locality_choose(&w);
		return 0;
	}
	bpf_loop(w.set->count, set_least_step, &w, 0);
	least = pick->destination;
	weight = pick->weight;
	if (w.set->count > 1 && set_is_old(w.set, p->now)) {
		pick->destination = 0;
		bpf_loop(w.set->count, set_most_step, &w, 0);
		pick->forgets = pick->destination;
	}
	if (least && !locality_is_crowded(&w, least, weight)) {
		pick->destination = least;
		pick->remembers = LOCALITY_USED;
		return 0;
	}
	locality_choose(&w);
	pick->found = 0;
	bpf_loop(w.set->count, set_find_step, &w, 0);
	if (pick->found && pick->destination != pick->forgets)
		pick->remembers = LOCALITY_USED;
	return 0;
}

struct set_copy {
	const struct limpet_locality_set *from;
	struct limpet_locality_set *to;
	const struct pick *pick;
	__u32 service;
};

static __always_inline void set_add(struct limpet_locality_set *set, __u32 id)
{
	__u32 count = set->count;

	if (count >= LIMPET_LOCALITY_SERVERS)
		return; /* as many as a set can name: the one that came first is forgotten */
	set->destinations[count] = id;
	set->count = count + 1;
}

static long set_copy_step(__u32 index, void *argument)
{
	struct set_copy *copy = argument;
	__u32 id = set_member(copy->from, index);

	if (id != copy->pick->forgets && locality_server(copy->service, id, copy->from->changed))
		set_add(copy->to, id);
	return 0;
}

/* Two CPUs that change one set at a time overwrite each other's change. What is lost is made up for by the next
 * connection that finds the set crowded. */
static __always_inline void lblcr_remember(struct locality_work *work, const struct packet *p, const struct pick *pick)
{
	struct limpet_locality_set *set = bpf_map_lookup_elem(&locality_sets, &work->key);
	struct set_copy copy = { .from = set, .to = &work->set, .pick = pick, .service = work->key.service };

	if (pick->remembers == LOCALITY_USED && !pick->forgets) {
		if (set)
			locality_touch(&set->used, p->now);
		return;
	}
	__builtin_memset(&work->set, 0, sizeof(work->set));
	work->set.changed = p->now;
	work->set.used = p->now;
	if (pick->remembers == LOCALITY_CHOSEN)
		set_add(&work->set, pick->destination);
	if (set)
		bpf_loop(set->count, set_copy_step, &copy, 0);
	bpf_map_update_elem(&locality_sets, &work->key, &work->set, BPF_ANY); /* no room: chosen anew each time */
}

/* For both schedulers: writes down what has been proposed. */
GLOBAL int locality_remember(__u32 service, struct packet *p, struct pick *pick)
{
	struct limpet_service_state *state = service_state(service);
	struct locality_work *work = locality_work();

	if (!p || !pick || !state || !work)
		return 0;
	locality_key(&work->key, service, state, p);
	if (*(volatile __u64 *)&state->published >> LIMPET_PUBLISHED_SCHEDULER_SHIFT == LIMPET_LBLC)
		lblc_remember(&work->key, p, pick);
	else
		lblcr_remember(work, p, pick);
	return 0;
}

#endif
