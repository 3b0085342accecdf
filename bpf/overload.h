/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connection thresholds: a server is overloaded from the moment in which its connections reach the upper one until they
 * are fewer than the lower one (ip_vs_conn.c, ip_vs_dest_update_overload()). Templates are no connections; they lead to
 * an overloaded server all the same. */
#ifndef LIMPET_OVERLOAD_H
#define LIMPET_OVERLOAD_H

#include "maps.h"
#include "packet.h"

#define JUDGE_TRIES 8

static __always_inline __u32 is_overloaded(__u32 destination)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);

	return c ? *(volatile __u32 *)&c->overloaded : 0;
}

/* Between the thresholds it stays what it was. */
static __always_inline __u32 overloaded_with(const struct limpet_destination *d, __s64 total, __u32 before)
{
	__u32 upper = *(volatile __u32 *)&d->upper_threshold;
	__u32 lower = *(volatile __u32 *)&d->lower_threshold;

	if (!upper)
		return 0;
	if (total >= upper)
		return 1;
	return total < (lower ? lower : upper - upper / 4) ? 0 : before;
}

/* `total` is what the caller has made of the number of connections. Others may judge by other numbers at the same time,
 * and the last one to write need not be the one that was right: so who has written looks again. Whoever counts last
 * finds the mark either right, or written by somebody who is still to look. limpetd does the same when it changes a
 * threshold. */
GLOBAL int overload_judge(__u32 destination, __s32 total)
{
	struct limpet_counts *c = bpf_map_lookup_elem(&counts, &destination);
	struct limpet_destination *d = bpf_map_lookup_elem(&destinations, &destination);
	__u32 before, now;

	if (!c || !d)
		return 0;
	for (int i = 0; i < JUDGE_TRIES; i++) {
		before = *(volatile __u32 *)&c->overloaded;
		now = overloaded_with(d, total, before);
		if (now == before)
			return 0;
		__sync_lock_test_and_set(&c->overloaded, now); /* a full barrier */
		total = *(volatile __s32 *)&c->total;
	}
	return 0;
}

#endif
