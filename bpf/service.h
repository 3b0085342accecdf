/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which virtual service a packet asks for, in IPVS' order (ip_vs_service_find()): the mark, the address and port, the
 * address with port 0. */
#ifndef LIMPET_SERVICE_H
#define LIMPET_SERVICE_H

#include "maps.h"
#include "packet.h"

struct service_hit {
	struct limpet_service service;
	struct limpet_service_key key;
};

static __always_inline int service_lookup(struct service_hit *hit, const struct limpet_service_key *key)
{
	struct limpet_service *s = bpf_map_lookup_elem(&services, key);

	if (!s)
		return 0;
	hit->service = *s;
	hit->key = *key;
	return 1;
}

/* Returns 1 and fills `hit`, or 0. */
GLOBAL int service_find(struct packet *p, struct service_hit *hit)
{
	struct limpet_service_key key = {};

	if (!p || !hit)
		return 0;
	key.family = p->key.family;
	if (p->door == DOOR_MARK && p->mark) {
		key.mark = p->mark;
		if (service_lookup(hit, &key))
			return 1;
		key.mark = 0;
	}
	key.protocol = p->key.protocol;
	*(__u32 *)key.address = p->key.virtual_address;
	key.port = p->key.virtual_port;
	if (service_lookup(hit, &key))
		return 1;
	key.port = 0;
	return service_lookup(hit, &key);
}

#endif
