/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Opening a flow: is the packet one that may, which service, which destination (by template or scheduler), and the
 * entries that remember it (ip_vs_core.c: ip_vs_schedule(), ip_vs_sched_persist()). */
#ifndef LIMPET_OPEN_H
#define LIMPET_OPEN_H

#include "address.h"
#include "drop_packet.h"
#include "flow.h"
#include "nexthop.h"
#include "schedule.h"
#include "service.h"
#include "template.h"

#define PORT_FTP_DATA 20
#define PORT_FTP 21
#define OPEN_TRIES 4
#define FULL_SECONDS 60

struct opening {
	struct service_hit hit;
	struct template_binding binding;
	__u32 claimed;       /* an entry of the same key is held BUSY by us */
	__u32 replaces;      /* ... which is a connection's: `former` ends when the new one is there, or cannot be */
	__u32 one_packet;    /* no entry is made */
	__u32 destination;   /* id; none after choose(): LIMPET_BYPASS, if there is a way past the servers */
	__u32 template_kind; /* other than none: the template counts this flow */
	struct limpet_flow flow;
	struct limpet_flow former; /* with its word as it was before we held it */
	struct pick pick;          /* last: all before its servers is cleared */
};

/* Too large for the stack. Programs of one CPU do not interrupt each other: all doors run with bottom halves off. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct opening);
} openings SEC(".maps");

static __always_inline struct opening *opening_current(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&openings, &zero);
}

static __always_inline struct opening *opening_begin(void)
{
	struct opening *o = opening_current();

	if (o)
		__builtin_memset(o, 0, offsetof(struct opening, pick) + PICK_CLEARED);
	return o;
}

static __always_inline __u32 mix_flow(const struct packet *p)
{
	__u32 hash = mix(mix(0x9e3779b9U, p->key.client_address), p->key.virtual_address);

	return mix(mix(hash, (__u32)p->key.client_port << 16 | p->key.virtual_port), p->key.protocol);
}

static __always_inline int flows_were_full(const struct packet *p)
{
	__u32 zero = 0;
	__u64 *when = bpf_map_lookup_elem(&flows_full, &zero);

	return when && *when && p->now - *when < LIMPET_SECONDS_TO_TICKS(FULL_SECONDS);
}

static __always_inline void flows_are_full(const struct packet *p)
{
	__u32 zero = 0;
	__u64 *when = bpf_map_lookup_elem(&flows_full, &zero);

	event(LIMPET_EVENT_FLOWS_FULL);
	if (when && *when != p->now)
		*(volatile __u64 *)when = p->now;
}

/* When the table has been full, later packets of flows that found no room must go where the first one went. */
static __always_inline int may_open(const struct packet *p, const struct limpet_config *c)
{
	if (p->key.client_port == bpf_htons(PORT_FTP_DATA))
		return 0;
	return opens(p, c) || flows_were_full(p);
}

/* Whether to take what the scheduler proposes: fills the hop, since the XDP door must leave everything as it was when
 * only the kernel can resolve the neighbour. */
static __always_inline void hop_for(void *context, struct packet *p, struct decision *d, __u32 destination)
{
	struct limpet_destination *dest = bpf_map_lookup_elem(&destinations, &destination);

	if (!dest) {
		d->hop.kind = LIMPET_HOP_UNREACHABLE;
		return;
	}
	d->hop_address = *(__u32 *)dest->address;
	d->hop_source = 0;
	hop_get(context, p, d, dest->nexthop);
}

static __always_inline int is_too_big(const struct packet *p, const struct decision *d)
{
	return d->hop.kind == LIMPET_HOP_READY && d->hop.mtu && p->ip_bytes > d->hop.mtu && p->dont_fragment &&
	       !p->segmented;
}

/* A device without ndo_xdp_xmit (bridge, VLAN, tunnel) would eat a redirected frame, and so would most that have it a
 * frame of several buffers. */
static __always_inline int xdp_may_leave_by(const struct packet *p, __u32 ifindex)
{
	__u32 slot = ifindex % LIMPET_DEVICES;
	struct limpet_device *device;

	if (ifindex == p->ingress_ifindex)
		return 1; /* XDP_TX */
	device = bpf_map_lookup_elem(&devices, &slot);
	return device && device->ifindex == ifindex && (device->flags & LIMPET_DEVICE_XDP_TARGET) && !p->in_buffers;
}

static __always_inline int must_leave_to_tc(const struct packet *p, const struct decision *d)
{
	return p->door == DOOR_XDP && (d->hop.kind != LIMPET_HOP_READY || (d->hop.mtu && p->ip_bytes > d->hop.mtu) ||
				       !xdp_may_leave_by(p, d->hop.ifindex));
}

/* One-packet scheduling (-o) is for UDP; a mark service's other packets open flows (ip_vs_schedule()). */
static __always_inline int is_one_packet(const struct packet *p, const struct limpet_service *s)
{
	return p->key.protocol == IPPROTO_UDP && (s->flags & LIMPET_SERVICE_ONE_PACKET);
}

/* Schedules, resolves, and moves the cursor. Returns 0, or 1 if the packet must be left to the tc door. The choice is
 * in o->destination; 0: there is none. */
SUBPROGRAM int open_schedule(void *context, struct packet *p, struct decision *d, struct opening *o)
{
	__u32 service = o->hit.service.id;

	for (int i = 0; i < OPEN_TRIES; i++) {
		schedule(service, p, 0, &o->pick);
		o->destination = o->pick.destination;
		if (!o->destination) {
			/* wrr has gone on in vain. The XDP door leaves the answer to tc, and this with it. */
			if (p->door != DOOR_XDP)
				schedule_commit(service, p, &o->pick);
			return 0;
		}
		hop_for(context, p, d, o->destination);
		if (must_leave_to_tc(p, d))
			return 1;
		if (schedule_commit(service, p, &o->pick))
			return 0;
	}
	return 0; /* crowded: the last proposal is as good as any */
}

/* A service on port 21 keeps a client's data connections with it, so its templates are those of all ports. */
static __always_inline int is_for_any_port(const struct packet *p, const struct limpet_service_key *key)
{
	return !key->port || (key->port == bpf_htons(PORT_FTP) && p->key.protocol == IPPROTO_TCP);
}

static __always_inline __u32 open_template_kind(const struct packet *p, const struct limpet_service_key *key)
{
	if (key->mark)
		return LIMPET_TEMPLATE_MARK;
	return is_for_any_port(p, key) ? LIMPET_TEMPLATE_ANY_PORT : LIMPET_TEMPLATE_PORT;
}

static __always_inline void open_template_key(const struct packet *p, struct opening *o)
{
	o->template_kind = open_template_kind(p, &o->hit.key);
	template_key(&o->binding.key, &p->key, o->template_kind, o->hit.key.mark, o->hit.service.mask);
}

/* A persistent service: the template's destination, or a new template. Returns like open_schedule(). */
SUBPROGRAM int open_persistent(void *context, struct packet *p, struct decision *d, struct opening *o)
{
	const struct limpet_service *s = &o->hit.service;
	long error;
	int found;

	open_template_key(p, o);
	for (int i = 0; i < OPEN_TRIES; i++) {
		found = template_use(&o->binding, p->now);
		if (found == TEMPLATE_BUSY && !o->binding.destination)
			continue;
		if (found == TEMPLATE_BUSY) /* go where it leads, though it cannot count this one */
			o->template_kind = LIMPET_TEMPLATE_NONE;
		if (found == TEMPLATE_BUSY || found == TEMPLATE_USED) {
			o->destination = o->binding.destination;
			hop_for(context, p, d, o->destination);
			return must_leave_to_tc(p, d);
		}
		if (open_schedule(context, p, d, o) || !o->destination) {
			template_abandon(&o->binding, p->now);
			return o->destination != 0;
		}
		error = template_make(&o->binding, p->now, o->destination, s->timeout, s->mask);
		if (!error)
			return 0;
		if (error == NOT_RECORDED_EEXIST)
			continue; /* another CPU was first: use its template */
		event(LIMPET_EVENT_TEMPLATES_FULL);
		break;
	}
	/* No room for a template: every flow of the client network still goes to one server. */
	o->template_kind = LIMPET_TEMPLATE_NONE;
	schedule_by_hash(s->id, &o->pick, mix(0x9e3779b9U, o->binding.key.client_network));
	o->destination = o->pick.destination;
	if (o->destination)
		hop_for(context, p, d, o->destination);
	return o->destination && must_leave_to_tc(p, d);
}

/* The port at the real server: a persistent service's packets keep theirs unless it is the service's own port. */
static __always_inline __u16 open_port(const struct packet *p, const struct service_hit *hit,
				       const struct limpet_destination *dest)
{
	if (!dest->port)
		return p->key.virtual_port;
	if ((hit->service.flags & LIMPET_SERVICE_PERSISTENT) && p->key.virtual_port != hit->key.port)
		return p->key.virtual_port;
	return dest->port;
}

static __always_inline __u8 open_method(const struct opening *o, const struct limpet_destination *dest)
{
	return o->destination == LIMPET_BYPASS ? LIMPET_ROUTE : dest->method;
}

/* Records the flow. Returns 0; 1 if another CPU has recorded one under this key meanwhile; negative: no room. */
static __always_inline long open_record(struct packet *p, struct opening *o, struct limpet_flow *fresh)
{
	struct limpet_flow4_key key = p->key;
	struct limpet_flow *claimed = o->claimed ? bpf_map_lookup_elem(&flows4, &key) : 0;
	long error;

	if (claimed) {
		claimed->destination = fresh->destination;
		claimed->destination_port = fresh->destination_port;
		claimed->method = fresh->method;
		claimed->template_kind = fresh->template_kind;
		claimed->template_serial = fresh->template_serial;
		claimed->template_mask = fresh->template_mask;
		claimed->mark = fresh->mark;
		/* A full barrier: the fields are there before the word says so. */
		__sync_lock_test_and_set(&claimed->word, fresh->word);
		o->claimed = 0;
		return 0;
	}
	o->claimed = 0; /* nobody deletes what is held; but a stranger's would not be ours to let go of */
	error = bpf_map_update_elem(&flows4, &key, fresh, BPF_NOEXIST);
	if (error == NOT_RECORDED_EEXIST)
		return 1;
	return error;
}

/* What a masqueraded server's replies are known by. Returns 0, or negative: no room. */
static __always_inline long open_reverse(struct packet *p, const struct limpet_destination *dest,
					 const struct limpet_flow *fresh)
{
	struct limpet_reverse value = {
		.virtual_address = p->key.virtual_address,
		.virtual_port = p->key.virtual_port,
		.destination = fresh->destination,
	};
	struct limpet_reverse4_key rkey;

	reverse_key(&rkey, &p->key, *(__u32 *)dest->address, fresh->destination_port);
	return bpf_map_update_elem(&reverse4, &rkey, &value, BPF_ANY);
}

/* What leads from a flow back to its template. */
static __always_inline void open_name_template(struct opening *o)
{
	o->flow.mark = o->hit.key.mark;
	o->flow.template_kind = o->template_kind;
	o->flow.template_serial = o->binding.serial;
	o->flow.template_mask = o->hit.service.mask;
}

/* Lets go of the entry that is held, with this word. */
static __always_inline void open_let_go(struct packet *p, struct opening *o, __u64 word)
{
	struct limpet_flow4_key key = p->key;
	struct limpet_flow *claimed = o->claimed ? bpf_map_lookup_elem(&flows4, &key) : 0;

	if (claimed)
		__sync_lock_test_and_set(&claimed->word, word);
	o->claimed = 0;
	o->replaces = 0;
}

static __always_inline void open_release_template(struct packet *p, struct opening *o)
{
	if (o->destination && o->template_kind != LIMPET_TEMPLATE_NONE) {
		open_name_template(o);
		template_release(&p->key, &o->flow, p->now);
	}
}

/* Gives back what was taken for a flow that does not come about. The one whose port was to be used again ends. */
SUBPROGRAM int open_cancel(struct packet *p, struct opening *o)
{
	open_release_template(p, o);
	if (o->replaces)
		flow_settle(&p->key, &o->former, o->former.word, p->now);
	open_let_go(p, o, flow_word(p->now, 0, LIMPET_LIFE_DEAD));
	return 0;
}

/* The XDP door leaves the packet to tc, and so the flow whose port is used again as it was. */
static __always_inline void open_leave(struct packet *p, struct opening *o)
{
	open_release_template(p, o);
	open_let_go(p, o, o->replaces ? o->former.word : flow_word(p->now, 0, LIMPET_LIFE_DEAD));
}

/* Takes back the reverse entry of a flow that could not be recorded, unless another CPU recorded the same one. */
static __always_inline void open_withdraw_reverse(struct packet *p, const struct limpet_flow *fresh)
{
	struct limpet_flow4_key key = p->key;
	struct limpet_flow *other = bpf_map_lookup_elem(&flows4, &key);

	if (!other || other->destination != fresh->destination || other->destination_port != fresh->destination_port)
		reverse_remove(&p->key, fresh);
}

/* Writes down what has been chosen. Returns 0, or why it does not come about, for the caller to cancel: 1 (another CPU
 * was first: look the flow up again) or negative (no room; -1: it cannot do without). */
GLOBAL long open_commit(struct packet *p)
{
	struct limpet_config *c = config_get();
	struct opening *o = opening_current();
	struct limpet_destination *dest = p && o ? bpf_map_lookup_elem(&destinations, &o->destination) : 0;
	struct limpet_address_bitmap *bits = address_bitmap();
	struct limpet_flow *fresh;
	__u32 state = 0;
	__u64 flags = 0;
	int assure;
	long error;

	if (!p || !o || !c || !dest || !bits)
		return -1;
	fresh = &o->flow;
	fresh->destination = o->destination;
	fresh->method = open_method(o, dest);
	fresh->destination_port = o->destination == LIMPET_BYPASS ? 0 : open_port(p, &o->hit, dest);
	open_name_template(o);
	/* Of a flow past the servers the states are those of both ways as well (ip_vs_leave()). */
	if (fresh->method != LIMPET_MASQ && o->destination != LIMPET_BYPASS)
		flags |= LIMPET_FLOW_NOOUTPUT;
	if (c->flags & LIMPET_COUNT_PACKETS)
		flags |= 1ULL << LIMPET_FLOW_PACKETS_SHIFT;
	if (p->key.protocol == IPPROTO_TCP)
		state = tcp_next(c, LIMPET_TCP_NONE, p,
				 flags & LIMPET_FLOW_NOOUTPUT ? DIRECTION_IN_ONLY : DIRECTION_IN);
	/* By a packet of a connection under way (sloppy_tcp). */
	assure = state == LIMPET_TCP_ESTABLISHED && o->template_kind != LIMPET_TEMPLATE_NONE;
	if (assure)
		flags |= LIMPET_FLOW_ASSURED;
	fresh->word = flow_word(p->now + state_timeout_ticks(c, p->key.protocol, state), state, flags);

	/* Before the new one's, which may be of the same key. */
	if (o->replaces)
		reverse_remove(&p->key, &o->former);
	if (fresh->method == LIMPET_MASQ && open_reverse(p, dest, fresh)) {
		event(LIMPET_EVENT_REVERSE_FULL);
		return -1;
	}
	error = open_record(p, o, fresh);
	if (error) {
		open_withdraw_reverse(p, fresh);
		if (error < 0)
			flows_are_full(p);
		return error == 1 || fresh->method != LIMPET_MASQ ? error : -1;
	}
	count_flow(o->destination, flow_is_active(&p->key, fresh->word), 1);
	if (o->replaces) {
		flow_uncount(&p->key, &o->former, o->former.word, p->now);
		o->replaces = 0;
	}
	if (assure)
		template_assure(&p->key, fresh);
	count_connection(o->destination);
	/* What goes past the servers concerns no door but this one. */
	if (o->destination != LIMPET_BYPASS)
		address_add(bits, p->key.virtual_address);
	if (fresh->method == LIMPET_MASQ)
		address_add(bits, *(__u32 *)dest->address);
	return 0;
}

/* One-packet scheduling: the flow has ended with the packet that opens it. Thresholds see it come and go, and its
 * template is used; there is no entry, and so no way back for a masqueraded server's reply. */
GLOBAL long open_once(struct packet *p)
{
	struct opening *o = opening_current();

	if (!p || !o)
		return -1;
	count_connection(o->destination);
	count_once(o->destination);
	open_release_template(p, o);
	return 0;
}

#endif
