/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Says where the next packet that opens a connection would go, and by which rule: the steps of inbound(), by the same
 * functions, without a write to any table but the answer's. Whatever changes in inbound.h or open.h changes here.
 *
 * It is a tc program that limpetd runs by BPF_PROG_TEST_RUN, not a syscall program: whether an address is local and
 * whether there is a way to the server, bpf_fib_lookup knows, which those do not have. */
#ifndef LIMPET_EXPLAIN_H
#define LIMPET_EXPLAIN_H

#include "inbound.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct limpet_explain);
} explain_request SEC(".maps");

/* Too large for the stack. Not the openings' (open.h): packets may come while a question is answered. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pick);
} explain_picks SEC(".maps");

/* Past the caches: they are written by who looks. The same lookup says LOCAL of an address of this host. */
SUBPROGRAM int explain_hop(void *context, __u32 address)
{
	struct limpet_config *c = config_get();
	struct limpet_hop hop;

	if (!c)
		return LIMPET_HOP_UNREACHABLE;
	hop_lookup(context, &hop, address, 0, c->mark_ifindex);
	return hop.kind;
}

static __always_inline int explain_is(struct limpet_explain *e, enum limpet_explain_rule rule)
{
	e->rule = rule;
	return 1;
}

static __always_inline int explain_goes_to(void *context, struct limpet_explain *e, const struct limpet_destination *d,
					   __u8 method, __u16 port)
{
	e->method = method;
	e->destination_port = port;
	e->hop_kind = explain_hop(context, *(__u32 *)d->address);
	return 1;
}

/* count_flow(). */
static __always_inline __u32 explain_relieves(__u32 destination)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);
	struct limpet_destination *d = bpf_map_lookup_elem(&destinations, &destination);

	return c && d && !overloaded_with(d, (__s64)c->total - 1, c->overloaded) ? destination : 0;
}

static __always_inline void explain_leaves(struct limpet_explain *e, const struct packet *p,
					   const struct limpet_flow *f, __u64 word, struct leaving *leaving)
{
	e->former = f->destination;
	leaving->destination = f->destination;
	leaving->relieved = explain_relieves(f->destination);
	leaving->load.active = flow_is_active(&p->key, word);
	leaving->load.total = 1;
	leaving->template_serial = f->template_kind == LIMPET_TEMPLATE_NONE ? 0 : f->template_serial;
	leaving->ended = flow_expiry(word) < p->now ? flow_expiry(word) : p->now;
}

/* The host's own, or led to the mark door all the same. */
static __always_inline int explain_is_for_us(const struct limpet_explain *e, int way)
{
	return way == LIMPET_HOP_LOCAL || (e->flags & LIMPET_EXPLAIN_LED);
}

/* Past the servers; `way` leads to the virtual address. */
static __always_inline int explain_bypass(struct limpet_explain *e, int way)
{
	e->hop_kind = way;
	return explain_is(e, LIMPET_EXPLAIN_BYPASS);
}

/* existing_flow(). Returns 1 if the connection decides. */
static __always_inline int explain_existing(void *context, struct limpet_explain *e, struct packet *p,
					    const struct limpet_config *c, int way, struct leaving *leaving)
{
	const int local = explain_is_for_us(e, way);
	struct limpet_flow *f = p->key.client_port ? bpf_map_lookup_elem(&flows4, &p->key) : 0;
	struct limpet_destination *dest;
	__u64 word;
	__u32 id;

	if (!f)
		return 0;
	word = *(volatile __u64 *)&f->word;
	id = f->destination;
	dest = bpf_map_lookup_elem(&destinations, &id);
	if ((word & LIMPET_LIFE_MASK) != LIMPET_LIFE_ALIVE || !dest)
		return 0;
	if (!flow_is_alive(word, p->now)) {
		explain_leaves(e, p, f, word, leaving);
		return 0;
	}
	if (is_new_connection(p, f, word, dest, c)) {
		/* It is still counted when the new one's server is chosen. */
		e->former = id;
		e->flags |= LIMPET_EXPLAIN_REUSED;
		return 0;
	}
	if (local && id != LIMPET_BYPASS && !(dest->flags & LIMPET_DESTINATION_AVAILABLE) && c->expire_nodest_conn) {
		explain_leaves(e, p, f, word, leaving);
		e->flags |= LIMPET_EXPLAIN_REUSED;
		return 0;
	}
	e->service = dest->service;
	if (id == LIMPET_BYPASS) {
		e->service.family = LIMPET_IPV4;
		e->service.mark = f->mark;
	}
	if (!local)
		return explain_is(e, LIMPET_EXPLAIN_NOT_LOCAL);
	e->destination = id;
	e->word = word;
	e->template_kind = f->template_kind;
	e->template_mask = f->template_mask;
	if (id == LIMPET_BYPASS)
		return explain_bypass(e, way);
	explain_goes_to(context, e, dest, f->method, f->destination_port);
	return explain_is(e, dest->flags & LIMPET_DESTINATION_AVAILABLE ? LIMPET_EXPLAIN_CONNECTION
									: LIMPET_EXPLAIN_REMOVED);
}

/* template_use(), looking only. Returns 1 if a template decides. */
static __always_inline int explain_template(struct limpet_explain *e, const struct packet *p,
					    const struct service_hit *hit, const struct limpet_config *c,
					    const struct leaving *leaving)
{
	struct limpet_template4_key key;
	struct limpet_template *t;
	__u64 word;

	e->template_kind = open_template_kind(p, &hit->key);
	template_key(&key, &p->key, e->template_kind, hit->key.mark, hit->service.mask);
	t = bpf_map_lookup_elem(&templates4, &key);
	if (!t)
		return 0;
	word = *(volatile __u64 *)&t->word;
	if (leaving->template_serial && leaving->template_serial == t->serial && template_count(word))
		word = template_released(word, leaving->ended);
	if (!template_is_alive(word, p->now))
		return 0;
	if (!template_destination_serves(c, t->destination)) {
		e->former = t->destination;
		e->flags |= LIMPET_EXPLAIN_GIVEN_UP;
		return 0;
	}
	e->word = word;
	e->template_mask = t->mask;
	e->destination = t->destination;
	return explain_is(e, LIMPET_EXPLAIN_TEMPLATE);
}

struct explain_walk {
	struct counted_walk counted;
	const struct leaving *leaving;
};

/* The schedulers' offers, with the flow that leaves already gone. */
static __always_inline long explain_offer(const struct explain_walk *w, struct best *best, const struct server *s,
					  struct load load)
{
	if (s->destination == w->leaving->destination) {
		load.active -= w->leaving->load.active;
		load.total -= w->leaving->load.total;
	}
	switch (w->counted.pick->list.scheduler) {
	case LIMPET_LC:
		return lc_offer(best, s, load);
	case LIMPET_WLC:
		return wlc_offer(best, s, load);
	case LIMPET_SED:
		return sed_offer(best, s, load);
	case LIMPET_NQ:
		return nq_offer(best, s, load);
	case LIMPET_OVF:
		return ovf_offer(best, s, load);
	}
	return 0;
}

EACH_SERVER(explain_counted_step, struct explain_walk, w->counted, explain_offer(w, &best, s, load_at(s)))

GLOBAL int explain_counted(__u32 service, const struct leaving *leaving, struct pick *pick)
{
	struct limpet_service_state *state = service_state(service);
	struct explain_walk w = {};

	if (!leaving || !pick || !state || !pick_open(pick, service, published_by(state), leaving))
		return 0;
	w.counted.pick = pick;
	w.leaving = leaving;
	bpf_loop(rounds_for(pick->list.count), explain_counted_step, &w, 0);
	return 0;
}

static __always_inline int schedules_by_counts(__u32 service)
{
	struct limpet_service_state *state = service_state(service);
	__u32 scheduler = state ? state->published >> LIMPET_PUBLISHED_SCHEDULER_SHIFT : LIMPET_RR;

	switch (scheduler) {
	case LIMPET_LC:
	case LIMPET_WLC:
	case LIMPET_SED:
	case LIMPET_NQ:
	case LIMPET_OVF:
		return 1;
	}
	return 0;
}

/* choose(): what is proposed is not taken, so that the cursor stays. */
static __always_inline void explain_choice(struct limpet_explain *e, struct packet *p, const struct service_hit *hit,
					   const struct limpet_config *c, struct leaving *leaving)
{
	__u32 zero = 0;
	struct pick *pick = bpf_map_lookup_elem(&explain_picks, &zero);

	if (!pick)
		return;
	__builtin_memset(pick, 0, PICK_CLEARED);
	if (hit->service.flags & LIMPET_SERVICE_PERSISTENT) {
		if (explain_template(e, p, hit, c, leaving))
			return;
	} else if (flows_were_full(p) && !is_one_packet(p, &hit->service)) {
		schedule_by_hash(hit->service.id, pick, mix_flow(p));
		e->destination = pick->destination;
		e->rule = LIMPET_EXPLAIN_HASH;
		return;
	}
	e->rule = LIMPET_EXPLAIN_SCHEDULER;
	if (leaving->destination && schedules_by_counts(hit->service.id)) {
		explain_counted(hit->service.id, leaving, pick);
		e->destination = pick->destination;
		return;
	}
	schedule(hit->service.id, p, leaving, pick);
	e->destination = pick->destination;
}

/* new_flow(). */
static __always_inline int explain_new(void *context, struct limpet_explain *e, struct packet *p,
				       const struct limpet_config *c, int way, struct leaving *leaving)
{
	__u8 first = bpf_ntohl(p->key.client_address) >> 24; /* is_sound() */
	struct limpet_destination *dest;
	struct service_hit hit = {};
	__u32 id;

	if (first == 0 || first == 127 || first >= 224)
		return explain_is(e, LIMPET_EXPLAIN_SOURCE);
	if (c->flags & LIMPET_DEFER_IPV4)
		e->flags |= LIMPET_EXPLAIN_DEFERRED;
	if (!may_open(p, c))
		return explain_is(e, LIMPET_EXPLAIN_FTP_DATA);
	if (!service_find(p, &hit))
		return explain_is(e, LIMPET_EXPLAIN_NO_SERVICE);
	e->service = hit.key;
	if (!hit.key.mark && !hit.key.port && !(hit.service.flags & LIMPET_SERVICE_PERSISTENT))
		return explain_is(e, LIMPET_EXPLAIN_NOT_PERSISTENT);
	if (!explain_is_for_us(e, way))
		return explain_is(e, LIMPET_EXPLAIN_NOT_LOCAL);
	if (drop_is_next(p))
		return explain_is(e, LIMPET_EXPLAIN_DROP_PACKET);
	explain_choice(e, p, &hit, c, leaving);
	id = e->destination;
	dest = bpf_map_lookup_elem(&destinations, &id);
	if (!id && c->cache_bypass && hit.key.mark && way != LIMPET_HOP_LOCAL)
		return explain_bypass(e, way);
	if (!id || !dest)
		return explain_is(e, LIMPET_EXPLAIN_NO_SERVER);
	return explain_goes_to(context, e, dest, dest->method, open_port(p, &hit, dest));
}

static __always_inline int explain(void *context)
{
	__u32 zero = 0;
	struct limpet_explain *e = bpf_map_lookup_elem(&explain_request, &zero);
	struct limpet_config *c = config_get();
	struct leaving leaving = {};
	struct packet p = {};
	int way;

	if (!e || !c)
		return 1;
	p.key = e->key;
	p.mark = e->mark;
	p.now = ticks_now();
	p.door = DOOR_MARK;
	p.tcp_flags = p.key.protocol == IPPROTO_TCP ? TCP_SYN : 0;
	way = explain_hop(context, p.key.virtual_address);
	if (!explain_existing(context, e, &p, c, way, &leaving))
		explain_new(context, e, &p, c, way, &leaving);
	return 0;
}

#endif
