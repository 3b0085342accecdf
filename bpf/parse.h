/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads a frame into a struct packet, or finds that it is none of ours: fragments, IP options, VLAN tags, truncated or
 * malformed headers, other protocols. Such frames are never answered, dropped or altered. */
#ifndef LIMPET_PARSE_H
#define LIMPET_PARSE_H

#include "packet.h"

#define IP_OFFSET ETH_HLEN
#define L4_OFFSET (ETH_HLEN + sizeof(struct iphdr))
#define HEADERS_TCP (L4_OFFSET + sizeof(struct tcphdr))
#define HEADERS_UDP (L4_OFFSET + sizeof(struct udphdr))

#define FRAGMENT_BITS 0x3fff /* more fragments, offset */
#define DONT_FRAGMENT 0x4000

struct frame {
	void *data;
	void *end;
};

static __always_inline struct frame frame_of(void *context, const enum door door)
{
	struct frame f;

	if (door == DOOR_XDP) {
		struct xdp_md *xdp = context;

		f.data = (void *)(long)xdp->data;
		f.end = (void *)(long)xdp->data_end;
	} else {
		struct __sk_buff *skb = context;

		f.data = (void *)(long)skb->data;
		f.end = (void *)(long)skb->data_end;
	}
	return f;
}

/* Whether the frame holds `bytes` behind its Ethernet header. Only large ones are spread over several XDP buffers. */
static __always_inline int frame_holds(void *context, struct frame f, __u32 bytes, const enum door door)
{
	if (door != DOOR_XDP)
		return ETH_HLEN + bytes <= ((struct __sk_buff *)context)->len;
	return ETH_HLEN + bytes <= (__u64)(f.end - f.data) || ETH_HLEN + bytes <= bpf_xdp_get_buff_len(context);
}

/* The addresses of what may be an IPv4 packet, before anything of it is parsed: a bystander is told by them and must
 * cost next to nothing. Returns 0 if there are none to read. */
static __always_inline int peek_addresses(void *context, __u32 *source, __u32 *destination, const enum door door)
{
	struct frame f = frame_of(context, door);
	struct iphdr *ip = f.data + IP_OFFSET;

	if (f.data + L4_OFFSET > f.end)
		return 0;
	*source = ip->saddr;
	*destination = ip->daddr;
	return 1;
}

/* TCP's header, all of it within `f`. Returns 0 if it is malformed. */
static __always_inline int parse_tcp(struct packet *p, struct frame f, __u32 l4_bytes)
{
	struct tcphdr *tcp = f.data + L4_OFFSET;

	if (f.data + HEADERS_TCP > f.end || tcp->doff < 5 || tcp->doff * 4U > l4_bytes)
		return 0;
	p->tcp_flags = ((__u8 *)tcp)[13];
	return 1;
}

static __always_inline int parse_udp(struct packet *p, struct frame f, __u32 l4_bytes)
{
	struct udphdr *udp = f.data + L4_OFFSET;

	if (f.data + HEADERS_UDP > f.end)
		return 0;
	/* A length of 0 or one that does not fit is malformed; GSO packets keep the length of the whole. */
	if (bpf_ntohs(udp->len) < sizeof(*udp) || bpf_ntohs(udp->len) > l4_bytes)
		return 0;
	return 1;
}

/* Returns 1 when `p` describes an IPv4 TCP or UDP packet, 0 when the frame is none of ours. */
static __always_inline int parse(struct packet *p, void *context, const enum door door)
{
	struct frame f = frame_of(context, door);
	struct ethhdr *ethernet;
	struct iphdr *ip;
	__u32 bytes, l4_bytes;

	if (door != DOOR_XDP && f.data + HEADERS_TCP > f.end) {
		/* Headers may sit in page fragments. A short UDP packet is as long as it is. */
		__u32 length = ((struct __sk_buff *)context)->len;

		if (length > HEADERS_TCP)
			length = HEADERS_TCP;
		if (bpf_skb_pull_data(context, length))
			return 0;
		f = frame_of(context, door);
	}
	ethernet = f.data;
	ip = f.data + IP_OFFSET;
	if (f.data + HEADERS_UDP > f.end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return 0;
	bytes = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || ip->ihl != 5 || (ip->frag_off & bpf_htons(FRAGMENT_BITS)))
		return 0;
	p->segmented = door != DOOR_XDP && ((struct __sk_buff *)context)->gso_segs > 1;
	/* GRO may have built more than 64 kB: the length field is 0 then. */
	if (p->segmented && !bytes)
		bytes = ((struct __sk_buff *)context)->len - ETH_HLEN;
	if (bytes < sizeof(*ip) + sizeof(struct udphdr) || !frame_holds(context, f, bytes, door))
		return 0;
	p->in_buffers = door == DOOR_XDP && ETH_HLEN + bytes > (__u64)(f.end - f.data);
	l4_bytes = bytes - sizeof(*ip);

	p->door = door;
	if (door == DOOR_XDP)
		p->ingress_ifindex = ((struct xdp_md *)context)->ingress_ifindex;
	p->ip_bytes = bytes;
	p->ttl = ip->ttl;
	p->dont_fragment = !!(ip->frag_off & bpf_htons(DONT_FRAGMENT));
	if (door == DOOR_MARK)
		p->mark = ((struct __sk_buff *)context)->mark;
	/* Source and destination, addresses and ports; these are in the same place in TCP and UDP. */
	flow_key_set(&p->whole_key, *(__u64 *)&ip->saddr, *(__u32 *)(ip + 1), ip->protocol);
	if (ip->protocol == IPPROTO_TCP)
		return parse_tcp(p, f, l4_bytes);
	if (ip->protocol == IPPROTO_UDP)
		return parse_udp(p, f, l4_bytes);
	return 0;
}

/* Whether the IP header's checksum and source are such that the stack would take the packet: checked before a packet
 * may open a flow. Later packets of a flow are the servers' to judge. */
static __always_inline int is_sound(const struct packet *p, void *context, const enum door door)
{
	struct frame f = frame_of(context, door);
	__u8 first = bpf_ntohl(p->key.client_address) >> 24;
	__u32 sum = 0;
	__u16 *words = f.data + IP_OFFSET;

	if (f.data + L4_OFFSET > f.end || first == 0 || first == 127 || first >= 224)
		return 0;
	for (int i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

#endif
