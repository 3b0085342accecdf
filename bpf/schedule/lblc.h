/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Locality-based least connection (ip_vs_lblc.c): the server that the virtual address was given last, unless that one is
 * gone, quiesced or crowded. Its thresholds are not asked, as in the kernel. */
#ifndef LIMPET_SCHEDULE_LBLC_H
#define LIMPET_SCHEDULE_LBLC_H

#include "locality.h"

GLOBAL int schedule_lblc(__u32 service, __u64 published, struct packet *p, const struct leaving *leaving,
			 struct pick *pick)
{
	struct limpet_destination *d;
	struct limpet_locality *e;
	struct locality_walk w = {};
	__u32 id;

	if (!p || !pick || !locality_begin(&w, service, published, p, leaving, pick))
		return 0;
	e = bpf_map_lookup_elem(&localities, &w.work->key);
	if (e) {
		id = *(volatile __u32 *)&e->destination;
		d = locality_server(service, id, e->changed);
		if (d && (d->flags & LIMPET_DESTINATION_AVAILABLE) && d->weight &&
		    !locality_is_crowded(&w, id, d->weight)) {
			pick->destination = id;
			pick->remembers = LOCALITY_USED;
			return 0;
		}
	}
	locality_choose(&w);
	return 0;
}

static __always_inline void lblc_remember(const struct limpet_locality_key *key, const struct packet *p,
					  const struct pick *pick)
{
	struct limpet_locality fresh = { .destination = pick->destination, .changed = p->now, .used = p->now };
	struct limpet_locality *e;

	if (pick->remembers == LOCALITY_CHOSEN) {
		bpf_map_update_elem(&localities, key, &fresh, BPF_ANY); /* no room: chosen anew each time */
		return;
	}
	e = bpf_map_lookup_elem(&localities, key);
	if (e)
		locality_touch(&e->used, p->now);
}

#endif
