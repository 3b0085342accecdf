/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets from clients: an existing flow goes where it went; else a new one may be opened (ip_vs_in()). */
#ifndef LIMPET_INBOUND_H
#define LIMPET_INBOUND_H

#include "icmp.h"
#include "open.h"

static __always_inline int is_deferred(const struct packet *p, const struct limpet_config *c)
{
	return p->door != DOOR_MARK && (c->flags & LIMPET_DEFER_IPV4);
}

/* The mark door gets only what was routed as local. */
static __always_inline int is_for_us(void *context, const struct packet *p, const struct limpet_config *c)
{
	return came_by_netfilter(p->door) || address_is_local(context, p, p->key.virtual_address, c->mark_ifindex);
}

/* conn_reuse_mode and expire_nodest_conn: a client that uses its port again gets a new decision, unless persistence
 * controls the flow (is_new_conn_expected()). The return door's packets have got theirs. */
static __always_inline int is_new_connection(const struct packet *p, const struct limpet_flow *f, __u64 word,
					     const struct limpet_destination *dest, const struct limpet_config *c)
{
	__u32 state = flow_state(word);

	if (p->key.protocol != IPPROTO_TCP || !(p->tcp_flags & TCP_SYN) || p->door == DOOR_RETURN)
		return 0;
	if (c->expire_nodest_conn && f->destination != LIMPET_BYPASS && !dest->weight)
		return 1;
	if (!c->conn_reuse_mode || f->template_kind != LIMPET_TEMPLATE_NONE)
		return 0;
	return state == LIMPET_TCP_TIME_WAIT || state == LIMPET_TCP_CLOSE ||
	       ((c->conn_reuse_mode & 2) && state == LIMPET_TCP_FIN_WAIT && (word & LIMPET_FLOW_NOOUTPUT));
}

/* Where a flow's packets go, by the method it was opened with: -e changes that of new ones only. d->destination is set.
 * Returns the verdict. */
static __always_inline int forward_to(struct packet *p, struct decision *d, const struct limpet_destination *dest,
				      __u8 method, __u16 port)
{
	if (d->hop.kind != LIMPET_HOP_LOCAL && p->ttl <= 1 && !came_by_netfilter(p->door))
		return decide_icmp(d, ICMP_EXCEEDED, 0, 0);
	if (method == LIMPET_MASQ && d->hop.kind != LIMPET_HOP_LOCAL) {
		d->rewrite = 1;
		d->address = *(__u32 *)dest->address;
		d->port = port;
	}
	return decide(d, VERDICT_FORWARD);
}

enum existing { EXISTING_DECIDED, EXISTING_NONE };

/* Takes an entry over for a new flow. What an ended one held is settled; one that is alive, its client using the port
 * again, is still counted while the new one's server is chosen (ip_vs_in_hook(): the old entry's timer runs after it).
 * Returns 0 if somebody else is at it. */
static __always_inline int flow_claim(struct packet *p, struct opening *o, struct limpet_flow *f, __u64 word)
{
	__u64 life = word & LIMPET_LIFE_MASK;

	if (life == LIMPET_LIFE_BUSY || life == LIMPET_LIFE_DELETING)
		return 0;
	if (!__sync_bool_compare_and_swap(&f->word, word, (word & ~LIMPET_LIFE_MASK) | LIMPET_LIFE_BUSY))
		return 0;
	o->claimed = 1;
	if (life != LIMPET_LIFE_ALIVE)
		return 1;
	if (flow_expiry(word) <= p->now) {
		flow_settle(&p->key, f, word, p->now);
		return 1;
	}
	o->former = *f;
	o->former.word = word;
	o->replaces = 1;
	return 1;
}

/* An entry that is alive: EXISTING_DECIDED with the verdict in `d`, or EXISTING_NONE if the packet is to be judged as
 * a new one. */
SUBPROGRAM int existing_flow(void *context, struct packet *p, struct decision *d, struct limpet_flow *f, __u64 word)
{
	struct limpet_config *c = config_get();
	struct limpet_destination *dest;
	__u32 id;

	if (!c || !f)
		return EXISTING_DECIDED;
	id = f->destination;
	dest = bpf_map_lookup_elem(&destinations, &id);
	if (!dest)
		return EXISTING_DECIDED;
	if (is_new_connection(p, f, word, dest, c))
		return EXISTING_NONE;
	if (!is_for_us(context, p, c))
		return EXISTING_DECIDED;
	if (id != LIMPET_BYPASS && !(dest->flags & LIMPET_DESTINATION_AVAILABLE)) {
		if (c->expire_nodest_conn) {
			flow_end(&p->key, f, word, p->now);
			return EXISTING_NONE;
		}
		event(LIMPET_EVENT_UNAVAILABLE);
		decide(d, VERDICT_DROP);
		return EXISTING_DECIDED;
	}
	if (id == LIMPET_BYPASS)
		hop_get_often(context, p, d, client_hop_index(c, p->key.virtual_address, 0), p->key.virtual_address, 0);
	else
		hop_get_often(context, p, d, dest->nexthop, *(__u32 *)dest->address, 0);
	if (must_leave_to_tc(p, d))
		return EXISTING_DECIDED;
	/* The address has come here since; its connection was with another host. */
	if (id == LIMPET_BYPASS && d->hop.kind == LIMPET_HOP_LOCAL) {
		decide(d, VERDICT_DROP);
		return EXISTING_DECIDED;
	}
	if (!flow_advance(p, &p->key, f, word, c, 0))
		return EXISTING_NONE;
	d->destination = id;
	forward_to(p, d, dest, f->method, f->destination_port);
	return EXISTING_DECIDED;
}

/* Chooses a destination for a packet that opens a flow. Returns 1 if the XDP door must leave it to tc. */
static __always_inline int choose(void *context, struct packet *p, struct decision *d, struct opening *o)
{
	if (o->hit.service.flags & LIMPET_SERVICE_PERSISTENT)
		return open_persistent(context, p, d, o);
	if (!flows_were_full(p) || is_one_packet(p, &o->hit.service))
		return open_schedule(context, p, d, o);
	/* Flows without an entry are about: their later packets must go where the first one went. */
	schedule_by_hash(o->hit.service.id, &o->pick, mix_flow(p));
	o->destination = o->pick.destination;
	if (o->destination)
		hop_for(context, p, d, o->destination);
	return o->destination && must_leave_to_tc(p, d);
}

/* cache_bypass: what no server of a mark service takes goes on to the address it was sent to, if that is another host's
 * (ip_vs_leave()). Returns 1 if it does. */
static __always_inline int choose_bypass(void *context, struct packet *p, struct decision *d, struct opening *o,
					 const struct limpet_config *c)
{
	if (!c->cache_bypass || !o->hit.key.mark)
		return 0;
	d->hop_address = p->key.virtual_address;
	d->hop_source = 0;
	hop_get(context, p, d, client_hop_index(c, d->hop_address, 0));
	/* No template was made. */
	o->template_kind = LIMPET_TEMPLATE_NONE;
	return d->hop.kind != LIMPET_HOP_LOCAL;
}

/* The flow table has no room: this flow, of a service without persistence, is forwarded without an entry. */
SUBPROGRAM int choose_unrecorded(void *context, struct packet *p, struct decision *d, struct opening *o)
{
	if (o->hit.service.flags & LIMPET_SERVICE_PERSISTENT)
		return 0; /* the template's or the client's hash: the same for later packets */
	schedule_by_hash(o->hit.service.id, &o->pick, mix_flow(p));
	if (!o->pick.destination)
		return 0;
	o->destination = o->pick.destination;
	hop_for(context, p, d, o->destination);
	return 0;
}

/* A connection that nothing comes after, though its client uses the port again: it has ended all the same. */
static __always_inline int open_nothing(struct packet *p, struct decision *d, struct limpet_flow *f, __u64 word)
{
	if (f && p->door != DOOR_XDP && flow_is_alive(word, p->now) && p->key.protocol == IPPROTO_TCP &&
	    (p->tcp_flags & TCP_SYN))
		flow_end(&p->key, f, word, p->now);
	return decide(d, VERDICT_PASS);
}

/* `f`: an entry under the key that has ended or is to make way for another (existing_flow()), with its `word` as it was
 * right after the lookup: a later one could be that of a stranger who has been given the element since. Null: there is
 * none. */
SUBPROGRAM int new_flow(void *context, struct packet *p, struct decision *d, struct limpet_flow *f, __u64 word)
{
	struct limpet_config *c = config_get();
	struct limpet_destination *dest;
	struct opening *o = opening_begin();
	long error;

	if (!c || !o || is_deferred(p, c))
		return decide(d, VERDICT_PASS);
	if (!may_open(p, c) || !service_find(p, &o->hit))
		return open_nothing(p, d, f, word);
	if (!o->hit.key.mark && !o->hit.key.port && !(o->hit.service.flags & LIMPET_SERVICE_PERSISTENT))
		return open_nothing(p, d, f, word); /* port 0 is for persistent services only */
	if (!is_for_us(context, p, c))
		return decide(d, VERDICT_PASS);
	o->one_packet = is_one_packet(p, &o->hit.service);
	if (f && !o->one_packet) {
		/* Its last reader or its sweeper is at work this very moment: a client repeats what it does not get. */
		if (!flow_claim(p, o, f, word))
			return decide(d, VERDICT_DROP);
	}
	if (c->drop_rate && drop_is_next(p)) {
		open_cancel(p, o);
		drop_count(p, 1);
		return decide(d, VERDICT_DROP);
	}
	if (choose(context, p, d, o)) {
		open_leave(p, o);
		return decide(d, VERDICT_PASS);
	}
	if (!o->destination && !choose_bypass(context, p, d, o, c)) {
		if (p->door == DOOR_XDP) {
			open_leave(p, o); /* tc judges again, and answers */
		} else {
			open_cancel(p, o);
			if (c->drop_rate)
				drop_count(p, 0);
			event(LIMPET_EVENT_NO_SERVER);
		}
		return decide_icmp(d, ICMP_UNREACHABLE, ICMP_CODE_PORT, 0);
	}
	error = o->one_packet ? open_once(p) : open_commit(p);
	if (error)
		open_cancel(p, o); /* here, where there is more room on the stack than in there */
	if (error == -1)
		return decide(d, VERDICT_DROP);
	if (error == 1) {
		/* Another CPU opened it in this moment: this packet is its second. */
		f = bpf_map_lookup_elem(&flows4, &p->key);
		if (!f)
			return decide(d, VERDICT_DROP);
		word = *(volatile __u64 *)&f->word;
		if (flow_is_alive(word, p->now) && existing_flow(context, p, d, f, word) == EXISTING_DECIDED)
			return d->verdict;
		return decide(d, VERDICT_DROP); /* and has lost it again: the client repeats what it does not get */
	}
	if (error && o->destination) {
		choose_unrecorded(context, p, d, o);
		if (must_leave_to_tc(p, d))
			return decide(d, VERDICT_PASS);
	}
	if (c->drop_rate)
		drop_count(p, 0);
	dest = bpf_map_lookup_elem(&destinations, &o->destination);
	if (!dest)
		return decide(d, VERDICT_DROP);
	/* The return door would not know it: it goes by entries. */
	if (o->one_packet && p->door == DOOR_MARK && d->hop.kind == LIMPET_HOP_NEIGHBOUR)
		return decide(d, VERDICT_DROP);
	d->destination = o->destination;
	return forward_to(p, d, dest, open_method(o, dest), open_port(p, &o->hit, dest));
}

static __always_inline int inbound(void *context, struct packet *p, struct decision *d, const enum door door)
{
	struct limpet_flow *f = bpf_map_lookup_elem(&flows4, &p->key);
	__u64 word = 0, now;

	if (f) {
		word = *(volatile __u64 *)&f->word;
		if (flow_is_alive(word, p->now)) {
			if (existing_flow(context, p, d, f, word) == EXISTING_DECIDED)
				return d->verdict;
			/* It may have ended by that; one that was alive just now is not given to another this soon. Any
			 * other change is another packet's, which opens it: flow_claim() finds that out by `word`. */
			now = *(volatile __u64 *)&f->word;
			if ((now & LIMPET_LIFE_MASK) == LIMPET_LIFE_DEAD)
				word = now;
		}
	}
	if (door == DOOR_RETURN)
		return decide(d, VERDICT_PASS); /* the mark door has opened what there was to open */
	return is_sound(p, context, door) ? new_flow(context, p, d, f, word) : decide(d, VERDICT_PASS);
}

#endif
