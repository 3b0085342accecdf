/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends a packet on its way: rewritten if masqueraded, its TTL lowered, to the next hop. */
#ifndef LIMPET_FORWARD_SEND_H
#define LIMPET_FORWARD_SEND_H

#include "rewrite.h"

static __always_inline int door_pass(const enum door door)
{
	/* TC_ACT_UNSPEC: the user's own filters still run. */
	return door == DOOR_XDP ? XDP_PASS : -1;
}

static __always_inline int door_drop(const enum door door) { return door == DOOR_XDP ? XDP_DROP : 2 /* TC_ACT_SHOT */; }

static __always_inline void ethernet_set(struct ethhdr *ethernet, const struct limpet_hop *hop)
{
	/* Twelve bytes in two words; by bytes they would cost more than finding the connection's server. */
	*(__u64 *)ethernet->h_dest = *(const __u64 *)hop->destination_mac;
	*(__u32 *)(ethernet->h_source + 2) = *(const __u32 *)(hop->source_mac + 2);
}

/* By the kernel's neighbour code: resolves, queues, and keeps the entry alive. Not at the mark door: its packets carry
 * the route to limpet0, and one that had to be queued would be sent by that route's neighbour in the end
 * (neigh_update()). */
static __always_inline int send_by_neighbour(const struct limpet_hop *hop)
{
	struct bpf_redir_neigh next = { .nh_family = LIMPET_IPV4 };

	__builtin_memcpy(&next.ipv4_nh, hop->gateway, sizeof(next.ipv4_nh));
	return bpf_redirect_neigh(hop->ifindex, &next, sizeof(next), 0);
}

static __always_inline int send(struct packet *p, struct decision *d, void *context, const enum door door)
{
	struct frame f;

	if (d->rewrite && rewrite(p, d, context, door))
		return door_drop(door);
	f = frame_of(context, door);
	if (f.data + L4_OFFSET > f.end)
		return door_drop(door);
	if (!came_by_netfilter(door))
		ttl_change(f.data + IP_OFFSET, -1);
	if (door != DOOR_XDP && (d->hop.kind == LIMPET_HOP_NEIGHBOUR || (d->probe && door != DOOR_MARK)))
		return send_by_neighbour(&d->hop);
	ethernet_set(f.data, &d->hop);
	if (door == DOOR_XDP && d->hop.ifindex == ((struct xdp_md *)context)->ingress_ifindex)
		return XDP_TX;
	return bpf_redirect(d->hop.ifindex, 0);
}

#endif
