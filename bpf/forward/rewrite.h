/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Changes to a packet's bytes: addresses, ports, TTL and their checksums. tc leaves the TCP and UDP checksum to the
 * kernel's helpers, which know about offloads; XDP frames carry real checksums. */
#ifndef LIMPET_FORWARD_REWRITE_H
#define LIMPET_FORWARD_REWRITE_H

#include "../parse.h"

/* RFC 1624: new checksum = ~(~old + ~from + to). A 16-bit value leaves its upper half 0 in both. */
static __always_inline __u16 checksum_replace(__u16 checksum, __u32 from, __u32 to)
{
	__u32 sum = (__u16)~checksum;

	sum += (__u16)~from + (__u16) ~(from >> 16) + (__u16)to + (__u16)(to >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline void ttl_change(struct iphdr *ip, int by)
{
	__u16 *word = (__u16 *)&ip->ttl; /* TTL and protocol */
	__u16 before = *word;

	ip->ttl += by;
	ip->check = checksum_replace(ip->check, before, *word);
}

/* The checksum of the TCP or UDP header, for the pseudo header's address and the port. Returns negative on failure. */
static __always_inline int l4_checksum_update(struct packet *p, void *context, __u32 from, __u32 to, __u16 from_port,
					      __u16 to_port, const enum door door)
{
	int udp = p->key.protocol == IPPROTO_UDP;
	__u32 offset = L4_OFFSET + (udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
	__u64 flags = udp ? BPF_F_MARK_MANGLED_0 : 0; /* UDP without a checksum stays without */
	struct frame f;
	__u16 *check;

	if (door != DOOR_XDP) {
		if (bpf_l4_csum_replace(context, offset, from, to, flags | BPF_F_PSEUDO_HDR | sizeof(from)))
			return -1;
		return bpf_l4_csum_replace(context, offset, from_port, to_port, flags | sizeof(from_port));
	}
	f = frame_of(context, door);
	check = f.data +
		(udp ? L4_OFFSET + offsetof(struct udphdr, check) : L4_OFFSET + offsetof(struct tcphdr, check));
	if ((void *)(check + 1) > f.end)
		return -1;
	if (udp && !*check)
		return 0;
	*check = checksum_replace(checksum_replace(*check, from, to), from_port, to_port);
	if (udp && !*check)
		*check = 0xffff;
	return 0;
}

/* Replaces the source (reply) or destination address and port. Returns negative if the packet cannot be changed. */
static __always_inline int rewrite(struct packet *p, const struct decision *d, void *context, const enum door door)
{
	__u32 from = d->reply ? p->key.client_address : p->key.virtual_address;
	__u16 from_port = d->reply ? p->key.client_port : p->key.virtual_port;
	struct frame f;
	struct iphdr *ip;
	__u16 *ports;

	if (l4_checksum_update(p, context, from, d->address, from_port, d->port, door))
		return -1;
	f = frame_of(context, door);
	ip = f.data + IP_OFFSET;
	ports = f.data + L4_OFFSET; /* source, destination: the same place in TCP and UDP */
	if (f.data + HEADERS_UDP > f.end)
		return -1;
	if (d->reply) {
		ip->saddr = d->address;
		ports[0] = d->port;
	} else {
		ip->daddr = d->address;
		ports[1] = d->port;
	}
	ip->check = checksum_replace(ip->check, from, d->address);
	return 0;
}

#endif
