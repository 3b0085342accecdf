/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* drop_packet: of the packets that would open a connection, one of so many is dropped (ip_vs_todrop()). The XDP door may
 * still leave a packet to tc, which asks again; so one is counted only where it stays. Functions of their own, so that
 * nobody's stack carries them where it is deepest, and so that the verifier does not go through all that follows once for
 * each answer. */
#ifndef LIMPET_DROP_PACKET_H
#define LIMPET_DROP_PACKET_H

#include "maps.h"
#include "packet.h"

static __always_inline __s64 *drop_counter_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&drop_counter, &zero);
}

/* TCP needs a SYN without RST, unless sloppy_tcp. */
static __always_inline int opens(const struct packet *p, const struct limpet_config *c)
{
	return p->key.protocol != IPPROTO_TCP ||
	       (!(p->tcp_flags & TCP_RST) && ((p->tcp_flags & TCP_SYN) || c->sloppy_tcp));
}

/* Whether it is this packet's turn to be dropped. Later packets of flows that found no room are none of it. */
GLOBAL int drop_is_next(struct packet *p)
{
	struct limpet_config *c = config_get();
	__s64 *left = drop_counter_get();

	return p && c && left && c->drop_rate && p->now < c->drop_until && opens(p, c) && *(volatile __s64 *)left <= 1;
}

/* One has been dropped, the others' turn begins; or one has been let through. */
GLOBAL int drop_count(struct packet *p, int dropped)
{
	struct limpet_config *c = config_get();
	__s64 *left = drop_counter_get();

	if (!p || !c || !left || !c->drop_rate || !opens(p, c))
		return 0;
	if (dropped)
		*(volatile __s64 *)left = (__s32)c->drop_rate;
	else if (*(volatile __s64 *)left > 0)
		__sync_fetch_and_add(left, -1);
	return 0;
}

#endif
