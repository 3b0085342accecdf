/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counting: packets and bytes per CPU, connections and templates atomically. A destination belongs to one service, so
 * a service's numbers are the sums of its destinations'. */
#ifndef LIMPET_COUNTERS_H
#define LIMPET_COUNTERS_H

#include "maps.h"
#include "packet.h"

static __always_inline void count_packet(__u32 destination, const struct packet *p, int reply)
{
	struct limpet_counters *c = bpf_map_lookup_elem(&counters, &destination);

	if (!c)
		return;
	if (reply) {
		c->out_packets++;
		c->out_bytes += p->ip_bytes;
	} else {
		c->in_packets++;
		c->in_bytes += p->ip_bytes;
	}
}

static __always_inline void count_connection(__u32 destination)
{
	struct limpet_counters *c = bpf_map_lookup_elem(&counters, &destination);

	if (c)
		c->connections++;
}

static __always_inline void counts_add(__u32 destination, __s32 active, __s32 total, __s32 persistent)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);

	if (!c)
		return;
	if (active)
		__sync_fetch_and_add(&c->active, active);
	if (total)
		__sync_fetch_and_add(&c->total, total);
	if (persistent)
		__sync_fetch_and_add(&c->persistent, persistent);
}

#endif
