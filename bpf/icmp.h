/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors to clients: no server (port unreachable), TTL spent, packet too big. Only the tc and mark doors send
 * them; XDP leaves such packets to tc. */
#ifndef LIMPET_ICMP_H
#define LIMPET_ICMP_H

#include "forward/send.h"
#include "maps.h"
#include "nexthop.h"

/* Of the offending packet: its header and as much as fits here, never less than RFC 792's 8 bytes of payload. */
#define QUOTE_MAX 64
#define QUOTE_MIN (sizeof(struct iphdr) + 8)

/* linux/icmp.h needs a libc. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__u16 zero;
	__u16 mtu; /* of "fragmentation needed" */
};
#define ICMP_HEADERS (sizeof(struct iphdr) + sizeof(struct icmp_header))
#define ICMP_UNREACHABLE 3
#define ICMP_CODE_PORT 3
#define ICMP_CODE_TOO_BIG 4
#define ICMP_EXCEEDED 11

static __always_inline int icmp_is_limited(const struct packet *p)
{
	__u32 zero = 0;
	__u64 *budget = bpf_map_lookup_elem(&icmp_budget, &zero);
	__u32 second = p->now / LIMPET_TICKS_PER_SECOND;

	if (!budget)
		return 1;
	if (*budget >> 32 != second)
		*budget = (__u64)second << 32;
	if ((__u32)*budget >= LIMPET_ICMP_PER_SECOND) {
		event(LIMPET_EVENT_ICMP_LIMITED);
		return 1;
	}
	++*budget;
	return 0;
}

struct icmp_packet {
	struct iphdr ip;
	struct icmp_header icmp;
};

static __always_inline __u16 checksum_finish(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Turns the packet into the ICMP error: from the address the client asked for, back to the client. Returns 0, or
 * negative if the kernel would not. */
SUBPROGRAM int icmp_build(struct __sk_buff *skb, struct packet *p, struct decision *d)
{
	struct icmp_packet head = {};
	__u8 quote[QUOTE_MAX] = {};
	__u32 quoted = p->ip_bytes & ~3U; /* the checksum helper takes words */
	__s64 sum;

	if (quoted > QUOTE_MAX)
		quoted = QUOTE_MAX;
	if (quoted < QUOTE_MIN)
		return -1;
	if (bpf_skb_load_bytes(skb, IP_OFFSET, quote, quoted & 0x7f))
		return -1;
	head.icmp.type = d->icmp_type;
	head.icmp.code = d->icmp_code;
	head.icmp.mtu = bpf_htons(d->icmp_mtu);
	/* The buffer's rest is zero and does not count. */
	sum = bpf_csum_diff(0, 0, (__be32 *)quote, sizeof(quote), 0);
	sum = bpf_csum_diff(0, 0, (__be32 *)&head.icmp, sizeof(head.icmp), sum);
	head.icmp.checksum = checksum_finish(sum);

	head.ip.version = 4;
	head.ip.ihl = 5;
	head.ip.tos = 0xc0; /* internetwork control, as the kernel's */
	head.ip.tot_len = bpf_htons(ICMP_HEADERS + quoted);
	head.ip.ttl = 64;
	head.ip.protocol = IPPROTO_ICMP;
	head.ip.saddr = p->key.virtual_address;
	head.ip.daddr = p->key.client_address;
	head.ip.check = checksum_finish(bpf_csum_diff(0, 0, (__be32 *)&head.ip, sizeof(head.ip), 0));

	if (bpf_skb_change_tail(skb, ETH_HLEN + quoted, 0) ||
	    bpf_skb_adjust_room(skb, sizeof(head), BPF_ADJ_ROOM_MAC, 0))
		return -1;
	return bpf_skb_store_bytes(skb, IP_OFFSET, &head, sizeof(head), 0);
}

SUBPROGRAM int icmp_send(struct __sk_buff *skb, struct packet *p, struct decision *d)
{
	struct limpet_config *c = config_get();
	struct frame f;

	if (!c || icmp_is_limited(p) || icmp_build(skb, p, d))
		return door_drop(DOOR_TC);
	hop_lookup(skb, &d->hop, p->key.client_address, p->key.virtual_address, c->mark_ifindex);
	if (d->hop.kind != LIMPET_HOP_READY && d->hop.kind != LIMPET_HOP_NEIGHBOUR)
		return door_drop(DOOR_TC);
	if (d->hop.kind == LIMPET_HOP_NEIGHBOUR)
		return send_by_neighbour(&d->hop);
	f = frame_of(skb, DOOR_TC);
	if (f.data + ETH_HLEN > f.end)
		return door_drop(DOOR_TC);
	ethernet_set(f.data, &d->hop);
	return bpf_redirect(d->hop.ifindex, 0);
}

#endif
