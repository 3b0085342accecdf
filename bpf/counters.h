/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counting: packets and bytes per CPU, connections and templates atomically. A destination belongs to one service, so
 * a service's numbers are the sums of its destinations'. */
#ifndef LIMPET_COUNTERS_H
#define LIMPET_COUNTERS_H

#include "maps.h"
#include "overload.h"
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

static __always_inline void count_active(__u32 destination, __s32 change)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);

	if (c)
		__sync_fetch_and_add(&c->active, change);
}

static __always_inline void count_template(__u32 destination, __s32 change)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);

	if (c)
		__sync_fetch_and_add(&c->persistent, change);
}

/* A flow begins (change 1) or ends (-1), in an active state or not. */
static __always_inline void count_flow(__u32 destination, int active, __s32 change)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);
	struct limpet_destination *d = bpf_map_lookup_elem(&destinations, &destination);
	__s32 total;

	if (!c || !d)
		return;
	if (active)
		__sync_fetch_and_add(&c->active, change);
	total = __sync_fetch_and_add(&c->total, change) + change;
	if (d->upper_threshold || c->overloaded)
		overload_judge(destination, total);
}

/* A flow that ends with its first packet. Its coming may be what overloads the server. */
static __always_inline void count_once(__u32 destination)
{
	struct limpet_destination *d = bpf_map_lookup_elem(&destinations, &destination);

	if (d && d->upper_threshold) {
		count_flow(destination, 0, 1);
		count_flow(destination, 0, -1);
	}
}

#endif
