/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reverse entries: how a masqueraded server's reply finds its flow. A mark service has no VIP to derive it from, so the
 * entry holds the address and port that the client asked for. */
#ifndef LIMPET_REVERSE_H
#define LIMPET_REVERSE_H

#include "maps.h"
#include "packet.h"

static __always_inline void reverse_key(struct limpet_reverse4_key *r, const struct limpet_flow4_key *key,
					__u32 server_address, __u16 server_port)
{
	r->server_address = server_address;
	r->client_address = key->client_address;
	r->server_port = server_port;
	r->client_port = key->client_port;
	r->protocol = key->protocol;
	r->family = key->family;
	r->zero = 0;
}

/* Removes the reverse entry of `flow`, unless it has become another flow's (the newest wins, as in the kernel). */
static __always_inline void reverse_remove(const struct limpet_flow4_key *key, const struct limpet_flow *flow)
{
	struct limpet_destination *dest = bpf_map_lookup_elem(&destinations, &flow->destination);
	struct limpet_reverse4_key rkey;
	struct limpet_reverse *r;

	if (flow->method != LIMPET_MASQ || !dest)
		return;
	reverse_key(&rkey, key, *(__u32 *)dest->address, flow->destination_port);
	r = bpf_map_lookup_elem(&reverse4, &rkey);
	if (r && r->virtual_address == key->virtual_address && r->virtual_port == key->virtual_port)
		bpf_map_delete_elem(&reverse4, &rkey);
}

#endif
