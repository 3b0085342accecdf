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
	/* A reply's addresses and ports, as they come, are the reverse entry's key. */
	struct limpet_reverse *r = bpf_map_lookup_elem(&reverse4, &p->key);
	struct limpet_config *c = config_get();
	struct limpet_destination *dest;
	struct limpet_flow *f;
	__u32 virtual_address, id;
	__u64 word;
	__u16 virtual_port;
	union flow_key key;

	if (!r || !c || p->ttl <= 1)
		return decide(d, VERDICT_PASS);
	/* Read once: the element may be another's in a moment. */
	virtual_address = *(volatile __u32 *)&r->virtual_address;
	virtual_port = *(volatile __u16 *)&r->virtual_port;
	flow_key_set(&key, both_addresses(p->key.virtual_address, virtual_address),
		     both_ports(p->key.virtual_port, virtual_port), p->key.protocol);
	f = bpf_map_lookup_elem(&flows4, &key);
	/* Its word first: an entry that is alive now is not given to another while this runs, one that is dead may be. */
	if (!f)
		return decide(d, VERDICT_PASS);
	word = *(volatile __u64 *)&f->word;
	if (!flow_is_alive(word, p->now) || f->method != LIMPET_MASQ || f->destination_port != p->key.client_port)
		return decide(d, VERDICT_PASS);
	hop_get_often(context, p, d, client_hop_index(c, p->key.virtual_address, virtual_address),
		      p->key.virtual_address, virtual_address);
	/* An ICMP error about a reply is the kernel's, from an address of the director: ip_forward() sends it. */
	if (d->hop.kind == LIMPET_HOP_LOCAL || must_leave_to_tc(p, d) || is_too_big(p, d))
		return decide(d, VERDICT_PASS);
	if (!flow_advance(p, &key.fields, f, word, c, 1))
		return decide(d, VERDICT_PASS);
	id = f->destination;
	dest = bpf_map_lookup_elem(&destinations, &id);
	if (dest && (dest->flags & LIMPET_DESTINATION_AVAILABLE))
		d->destination = id;
	d->reply = 1;
	d->rewrite = 1;
	d->address = virtual_address;
	d->port = virtual_port;
	return decide(d, VERDICT_FORWARD);
}

#endif
