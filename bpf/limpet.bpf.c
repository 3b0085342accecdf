/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The doors: XDP and tc at the interfaces, tc at limpet0 for packets that have been through netfilter. One code; start
 * reading at through_door(). */
#include "address.h"
#include "explain.h"
#include "icmp.h"
#include "icmp_error.h"
#include "inbound.h"
#include "outbound.h"
#include "parse.h"
#include "sweep.h"

#define TC_ACT_OK 0

/* Carries a decision out. */
static __always_inline int carry_out(struct packet *p, struct decision *d, void *context, const enum door door)
{
	switch (d->verdict) {
	case VERDICT_DROP:
		return door_drop(door);
	case VERDICT_FORWARD:
		/* On to limpet1, where it arrives without its route. */
		if (door == DOOR_MARK && d->hop.kind == LIMPET_HOP_NEIGHBOUR)
			return TC_ACT_OK;
		if (d->destination)
			count_packet(d->destination, p, d->reply);
		if (d->hop.kind == LIMPET_HOP_LOCAL)
			return door_pass(door);
		if (d->hop.kind == LIMPET_HOP_UNREACHABLE || d->hop.kind == LIMPET_HOP_NONE) {
			event(LIMPET_EVENT_UNREACHABLE);
			return door_drop(door);
		}
		if (door != DOOR_XDP && is_too_big(p, d)) {
			decide_icmp(d, ICMP_UNREACHABLE, ICMP_CODE_TOO_BIG, d->hop.mtu);
			return icmp_send(context, p, d);
		}
		return send(p, d, context, door);
	case VERDICT_ICMP:
		if (door == DOOR_XDP)
			return door_pass(door);
		if (d->destination)
			count_packet(d->destination, p, d->reply);
		return icmp_send(context, p, d);
	}
	return door_pass(door);
}

/* The mark door gives a packet that it does not take back to this host as it came: the way here took one TTL. */
static __always_inline int give_back(void *context)
{
	struct frame f = frame_of(context, DOOR_MARK);
	struct ethhdr *ethernet = f.data;

	if (f.data + L4_OFFSET <= f.end && ethernet->h_proto == bpf_htons(ETH_P_IP))
		ttl_change(f.data + IP_OFFSET, 1);
	return door_pass(DOOR_MARK);
}

/* XDP runs before the kernel has looked whether a frame is for this host. */
static __always_inline int is_for_this_interface(void *context)
{
	struct frame f = frame_of(context, DOOR_XDP);
	__u32 ifindex = ((struct xdp_md *)context)->ingress_ifindex;
	__u32 slot = ifindex % LIMPET_DEVICES;
	struct limpet_device *device = bpf_map_lookup_elem(&devices, &slot);
	struct ethhdr *ethernet = f.data;

	if (!device || device->ifindex != ifindex || f.data + ETH_HLEN > f.end)
		return 0;
	return *(__u32 *)ethernet->h_dest == *(__u32 *)device->mac &&
	       *(__u16 *)(ethernet->h_dest + 4) == *(__u16 *)(device->mac + 4);
}

/* What every frame goes through. Bystanders are told by their addresses, before anything else is looked at. */
static __always_inline int through_door(void *context, const enum door door)
{
	struct limpet_address_bitmap *bits = address_bitmap();
	struct limpet_config *c = config_get();
	__u32 source, destination;
	int inwards, reply;
	struct decision d;
	struct packet p;

	if (!bits || !c || !peek_addresses(context, &source, &destination, door))
		return door_pass(door);
	/* Marked packets may be for any local address. */
	inwards = came_by_netfilter(door) || address_is_ours(bits, c->active_bank, destination);
	reply = !came_by_netfilter(door) && address_is_ours(bits, c->active_bank, source);
	if ((!inwards && !reply) || (door == DOOR_XDP && !is_for_this_interface(context)))
		return door_pass(door);

	__builtin_memset(&d, 0, sizeof(d));
	__builtin_memset(&p, 0, sizeof(p));
	if (!parse(&p, context, door))
		return door_pass(door);
	p.now = ticks_now();
	if (inwards) {
		/* What takes an ICMP error is tc's. */
		if (door == DOOR_XDP && p.ttl <= 1)
			return door_pass(door);
		if (inbound(context, &p, &d, door) != VERDICT_PASS)
			return carry_out(&p, &d, context, door);
	}
	if (reply && outbound(context, &p, &d) != VERDICT_PASS)
		return carry_out(&p, &d, context, door);
	return door_pass(door);
}

/* Only frames addressed to this host count. */
SEC("tc")
int limpet_tc(struct __sk_buff *skb)
{
	struct frame f = frame_of(skb, DOOR_TC);
	struct iphdr *ip;

	if (skb->pkt_type != 0 /* PACKET_HOST */ || skb->vlan_present)
		return door_pass(DOOR_TC);
	if (f.data + L4_OFFSET > f.end) {
		bpf_skb_pull_data(skb, L4_OFFSET);
		f = frame_of(skb, DOOR_TC);
	}
	ip = f.data + IP_OFFSET;
	if (f.data + L4_OFFSET <= f.end && skb->protocol == bpf_htons(ETH_P_IP) && ip->protocol == IPPROTO_ICMP)
		return icmp_error_through(skb);
	return through_door(skb, DOOR_TC);
}

SEC("tc")
int limpet_mark(struct __sk_buff *skb)
{
	int action = through_door(skb, DOOR_MARK);

	return action == door_pass(DOOR_MARK) ? give_back(skb) : action;
}

SEC("tc")
int limpet_return(struct __sk_buff *skb) { return through_door(skb, DOOR_RETURN); }

/* "frags": frames of several buffers come in as well (jumbo frames, receive offload); their headers are in the first. */
SEC("xdp.frags")
int limpet_xdp(struct xdp_md *xdp) { return through_door(xdp, DOOR_XDP); }

SEC("syscall")
int limpet_sweep(void *context)
{
	__u32 zero = 0;
	struct sweep_walk w = { .request = bpf_map_lookup_elem(&sweep_request, &zero) };

	if (!w.request)
		return 1;
	w.now = bpf_ktime_get_ns() >> LIMPET_TICK_SHIFT;
	bpf_loop(w.request->count, sweep_step, &w, 0);
	return 0;
}

/* Never attached: limpetd runs it. */
SEC("tc")
int limpet_explain(struct __sk_buff *skb) { return explain(skb); }

char LICENSE[] SEC("license") = "Dual BSD/GPL";
