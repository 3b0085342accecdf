/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors about forwarded connections (ip_vs_in_icmp(), ip_vs_out_icmp()): they belong to whom the quoted packet
 * belongs to, and path MTU discovery dies without them. Matched by the quoted header; the flow itself is not touched.
 * Rare, so only at the tc door, which XDP passes them to, and by helpers instead of packet pointers. */
#ifndef LIMPET_ICMP_ERROR_H
#define LIMPET_ICMP_ERROR_H

#include "inbound.h"
#include "outbound.h"

#define ICMP_SOURCE_QUENCH 4

struct icmp_error {
	struct iphdr outer;
	struct icmp_header icmp;
	struct iphdr inner; /* of the packet that the error is about */
	__u16 inner_source_port;
	__u16 inner_destination_port;
};

/* Beside the stack, for want of room on it: see openings. */
struct icmp_error_work {
	struct icmp_error error;
	struct packet packet;
	struct decision decision;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct icmp_error_work);
} icmp_errors SEC(".maps");

#define ICMP_OFFSET L4_OFFSET
#define INNER_OFFSET (IP_OFFSET + offsetof(struct icmp_error, inner))
#define INNER_PORTS_OFFSET (IP_OFFSET + offsetof(struct icmp_error, inner_source_port))

static __always_inline int is_plain_header(const struct iphdr *ip)
{
	return ip->version == 4 && ip->ihl == 5 && !(ip->frag_off & bpf_htons(FRAGMENT_BITS));
}

/* Returns 1 if the frame is an error about TCP or UDP that could concern us. */
static __always_inline int icmp_error_read(struct __sk_buff *skb, struct icmp_error *e)
{
	if (bpf_skb_load_bytes(skb, IP_OFFSET, e, sizeof(*e)))
		return 0;
	if (!is_plain_header(&e->outer) || e->outer.protocol != IPPROTO_ICMP || e->outer.ttl <= 1 ||
	    bpf_ntohs(e->outer.tot_len) > skb->len - ETH_HLEN || bpf_ntohs(e->outer.tot_len) < sizeof(*e))
		return 0;
	if (e->icmp.type != ICMP_UNREACHABLE && e->icmp.type != ICMP_EXCEEDED && e->icmp.type != ICMP_SOURCE_QUENCH)
		return 0;
	return is_plain_header(&e->inner) && (e->inner.protocol == IPPROTO_TCP || e->inner.protocol == IPPROTO_UDP);
}

/* A removed server's are carried, but not counted (ip_vs_in_stats()). */
static __always_inline void icmp_error_count(struct decision *d, __u32 id)
{
	struct limpet_destination *dest = bpf_map_lookup_elem(&destinations, &id);

	if (dest && (dest->flags & LIMPET_DESTINATION_AVAILABLE))
		d->destination = id;
}

/* From a client or a router on the way to it, about a packet that carried the virtual address as its source. A mark
 * service's may be another host's, for which this one is a transparent proxy: then it takes the error on its way there
 * (ip_vs_forward_icmp()). */
static __always_inline int icmp_error_in(struct __sk_buff *skb, struct packet *p, struct decision *d,
					 const struct icmp_error *e)
{
	struct limpet_flow4_key key = {
		.client_address = e->inner.daddr,
		.virtual_address = e->inner.saddr,
		.client_port = e->inner_destination_port,
		.virtual_port = e->inner_source_port,
		.protocol = e->inner.protocol,
		.family = LIMPET_IPV4,
	};
	struct limpet_flow *f = bpf_map_lookup_elem(&flows4, &key);
	struct limpet_destination *dest;
	struct limpet_config *c = config_get();
	__u32 id;

	if (!f || !c || !flow_is_alive(*(volatile __u64 *)&f->word, p->now))
		return 0;
	id = f->destination;
	dest = bpf_map_lookup_elem(&destinations, &id);
	if (!dest || id == LIMPET_BYPASS || (!f->mark && !address_is_local(skb, p, e->outer.daddr, c->mark_ifindex)))
		return 0;
	hop_for(skb, p, d, id);
	if (d->hop.kind == LIMPET_HOP_LOCAL)
		return 0;
	icmp_error_count(d, id);
	if (f->method == LIMPET_MASQ) {
		d->rewrite = 1;
		d->address = *(__u32 *)dest->address;
		d->port = f->destination_port;
	}
	return 1;
}

/* From a masqueraded server or a router on the way to it, about a packet that the client sent. */
static __always_inline int icmp_error_out(struct __sk_buff *skb, struct packet *p, struct decision *d,
					  const struct icmp_error *e)
{
	struct limpet_reverse4_key rkey = {
		.server_address = e->inner.daddr,
		.client_address = e->inner.saddr,
		.server_port = e->inner_destination_port,
		.client_port = e->inner_source_port,
		.protocol = e->inner.protocol,
		.family = LIMPET_IPV4,
	};
	struct limpet_reverse *r = bpf_map_lookup_elem(&reverse4, &rkey);
	struct limpet_flow4_key key = {
		.client_address = e->inner.saddr,
		.client_port = e->inner_source_port,
		.protocol = e->inner.protocol,
		.family = LIMPET_IPV4,
	};
	struct limpet_config *c = config_get();
	struct limpet_flow *f;

	if (!r || !c || e->outer.daddr != e->inner.saddr)
		return 0;
	key.virtual_address = r->virtual_address;
	key.virtual_port = r->virtual_port;
	f = bpf_map_lookup_elem(&flows4, &key);
	if (!f || !flow_is_alive(*(volatile __u64 *)&f->word, p->now) || f->method != LIMPET_MASQ ||
	    f->destination_port != e->inner_destination_port)
		return 0;
	d->hop_address = e->outer.daddr;
	d->hop_source = r->virtual_address;
	hop_get(skb, p, d, client_hop_index(c, d->hop_address, d->hop_source));
	if (d->hop.kind == LIMPET_HOP_LOCAL)
		return 0;
	icmp_error_count(d, f->destination);
	d->reply = 1;
	d->rewrite = 1;
	d->address = r->virtual_address;
	d->port = r->virtual_port;
	return 1;
}

/* The addresses of both headers and the quoted port. The ICMP checksum covers the quoted header, but a header's sum
 * stays the same when its own checksum follows its address, so only the port counts. Returns negative on failure. */
static __always_inline int icmp_error_rewrite(struct __sk_buff *skb, const struct icmp_error *e,
					      const struct decision *d)
{
	__u32 outer = IP_OFFSET + (d->reply ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr));
	__u32 inner = INNER_OFFSET + (d->reply ? offsetof(struct iphdr, daddr) : offsetof(struct iphdr, saddr));
	__u32 port = INNER_PORTS_OFFSET + (d->reply ? sizeof(__u16) : 0);
	__u32 outer_from = d->reply ? e->outer.saddr : e->outer.daddr;
	__u32 inner_from = d->reply ? e->inner.daddr : e->inner.saddr;
	__u16 port_from = d->reply ? e->inner_destination_port : e->inner_source_port;

	if (bpf_l3_csum_replace(skb, IP_OFFSET + offsetof(struct iphdr, check), outer_from, d->address, 4) ||
	    bpf_skb_store_bytes(skb, outer, &d->address, sizeof(d->address), 0) ||
	    bpf_l3_csum_replace(skb, INNER_OFFSET + offsetof(struct iphdr, check), inner_from, d->address, 4) ||
	    bpf_skb_store_bytes(skb, inner, &d->address, sizeof(d->address), 0) ||
	    bpf_l4_csum_replace(skb, ICMP_OFFSET + offsetof(struct icmp_header, checksum), port_from, d->port, 2) ||
	    bpf_skb_store_bytes(skb, port, &d->port, sizeof(d->port), 0))
		return -1;
	return 0;
}

/* A frame that is no TCP or UDP packet. Returns the tc action. */
SUBPROGRAM int icmp_error_through(struct __sk_buff *skb)
{
	struct limpet_address_bitmap *bits = address_bitmap();
	struct limpet_config *c = config_get();
	__u32 zero = 0;
	struct icmp_error_work *w = bpf_map_lookup_elem(&icmp_errors, &zero);
	struct icmp_error *e;
	struct decision *d;
	struct packet *p;

	if (!bits || !c || !w)
		return door_pass(DOOR_TC);
	e = &w->error;
	d = &w->decision;
	p = &w->packet;
	if (!icmp_error_read(skb, e))
		return door_pass(DOOR_TC);
	__builtin_memset(d, 0, sizeof(*d));
	__builtin_memset(p, 0, sizeof(*p));
	p->door = DOOR_TC;
	p->now = ticks_now();
	p->ip_bytes = bpf_ntohs(e->outer.tot_len);
	p->ttl = e->outer.ttl;
	if (!(address_is_ours(bits, c->active_bank, e->inner.saddr) && icmp_error_in(skb, p, d, e)) &&
	    !(address_is_ours(bits, c->active_bank, e->inner.daddr) && icmp_error_out(skb, p, d, e)))
		return door_pass(DOOR_TC);
	if (d->hop.kind != LIMPET_HOP_READY && d->hop.kind != LIMPET_HOP_NEIGHBOUR)
		return door_drop(DOOR_TC);
	if (d->destination)
		count_packet(d->destination, p, d->reply);
	if (d->rewrite && icmp_error_rewrite(skb, e, d))
		return door_drop(DOOR_TC);
	d->rewrite = 0; /* done */
	return send(p, d, skb, DOOR_TC);
}

#endif
