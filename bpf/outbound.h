/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Replies of masqueraded servers (ip_vs_out()). What servers open themselves finds no reverse entry and passes. */
#ifndef LIMPET_OUTBOUND_H
#define LIMPET_OUTBOUND_H

#include "flow.h"
#include "inbound.h"
#include "nexthop.h"
#include "open.h"

SUBPROGRAM int outbound(void *context, struct packet *p, struct decision *d)
{
	struct limpet_reverse4_key rkey = {
		.server_address = p->key.client_address,
		.client_address = p->key.virtual_address,
		.server_port = p->key.client_port,
		.client_port = p->key.virtual_port,
		.protocol = p->key.protocol,
		.family = p->key.family,
	};
	struct limpet_reverse *r = bpf_map_lookup_elem(&reverse4, &rkey);
	struct limpet_flow4_key key = {
		.client_address = p->key.virtual_address,
		.client_port = p->key.virtual_port,
		.protocol = p->key.protocol,
		.family = p->key.family,
	};
	struct limpet_config *c = config_get();
	struct limpet_destination *dest;
	struct limpet_flow *f;
	__u32 id;

	if (!r || !c || p->ttl <= 1)
		return decide(d, VERDICT_PASS);
	key.virtual_address = r->virtual_address;
	key.virtual_port = r->virtual_port;
	f = bpf_map_lookup_elem(&flows4, &key);
	if (!f || f->method != LIMPET_MASQ || f->destination_port != p->key.client_port)
		return decide(d, VERDICT_PASS);
	d->hop_address = key.client_address;
	d->hop_source = key.virtual_address;
	hop_get(context, p, d, client_hop_index(c, key.client_address, key.virtual_address));
	/* An ICMP error about a reply is the kernel's, from an address of the director: ip_forward() sends it. */
	if (d->hop.kind == LIMPET_HOP_LOCAL || must_leave_to_tc(p, d) || is_too_big(p, d))
		return decide(d, VERDICT_PASS);
	if (!flow_advance(p, &key, f, c, 1))
		return decide(d, VERDICT_PASS);
	id = f->destination;
	dest = bpf_map_lookup_elem(&destinations, &id);
	if (dest && (dest->flags & LIMPET_DESTINATION_AVAILABLE))
		d->destination = id;
	d->reply = 1;
	d->rewrite = 1;
	d->address = key.virtual_address;
	d->port = key.virtual_port;
	return decide(d, VERDICT_FORWARD);
}

#endif
