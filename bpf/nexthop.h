/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a packet leaves: next hops cached in a shared table that the packets refresh themselves once a second. */
#ifndef LIMPET_NEXTHOP_H
#define LIMPET_NEXTHOP_H

#include "maps.h"
#include "packet.h"

/* What the kernel is asked, and what becomes of its answer. */
struct hop_question {
	struct bpf_fib_lookup route;
	__s32 result;
	__u32 index;   /* of the slot */
	__u64 claimed; /* its word, if it has been claimed and the answer is to go into its idle half; else 0 */
};

/* Looked up from limpet0, the only interface that needs forwarding switched on. */
static __always_inline void hop_ask_for(struct hop_question *q, __u32 address, __u32 source, __u32 mark_ifindex)
{
	q->route.family = LIMPET_IPV4;
	q->route.ifindex = mark_ifindex;
	q->route.tot_len = 1; /* asks for the MTU instead of judging the packet's size */
	q->route.ipv4_dst = address;
	q->route.ipv4_src = source;
}

static __always_inline void hop_answer(struct limpet_hop *hop, const struct hop_question *q)
{
	hop->ifindex = q->route.ifindex;
	hop->reserved = 0;
	hop->family = LIMPET_IPV4;
	hop->mtu = 0;
	__builtin_memset(hop->gateway, 0, sizeof(hop->gateway));
	__builtin_memset(hop->source_mac, 0, sizeof(hop->source_mac));
	__builtin_memset(hop->destination_mac, 0, sizeof(hop->destination_mac));
	if (q->result == BPF_FIB_LKUP_RET_SUCCESS) {
		hop->kind = LIMPET_HOP_READY;
		hop->mtu = q->route.mtu_result;
		__builtin_memcpy(hop->source_mac, q->route.smac, sizeof(hop->source_mac));
		__builtin_memcpy(hop->destination_mac, q->route.dmac, sizeof(hop->destination_mac));
	} else if (q->result == BPF_FIB_LKUP_RET_NO_NEIGH) {
		hop->kind = LIMPET_HOP_NEIGHBOUR;
	} else if (q->result == BPF_FIB_LKUP_RET_NOT_FWDED) {
		hop->kind = LIMPET_HOP_LOCAL;
	} else {
		hop->kind = LIMPET_HOP_UNREACHABLE;
	}
	if (hop->kind == LIMPET_HOP_READY || hop->kind == LIMPET_HOP_NEIGHBOUR)
		__builtin_memcpy(hop->gateway, &q->route.ipv4_dst, sizeof(q->route.ipv4_dst));
}

/* Past the slots. */
static __always_inline void hop_lookup(void *context, struct limpet_hop *hop, __u32 address, __u32 source,
				       __u32 mark_ifindex)
{
	struct hop_question q = {};

	hop_ask_for(&q, address, source, mark_ifindex);
	q.result = bpf_fib_lookup(context, &q.route, sizeof(q.route), 0);
	hop_answer(hop, &q);
}

/* Tells the owners of a slot apart: clients share slots by hash. */
static __always_inline __u64 hop_tag(__u32 address, __u32 source)
{
	return (__u64)(address + source * 0x85ebca6bU) << LIMPET_NEXTHOP_TAG_SHIFT;
}

static __always_inline __u64 hop_word(const struct packet *p, __u64 rest)
{
	return (p->now << LIMPET_NEXTHOP_TICKS_SHIFT & LIMPET_NEXTHOP_TICKS_MASK) | rest;
}

/* Less than a second old. Another CPU's packet may have looked at the clock later than this one: what is a little ahead
 * is fresh as well, or its claim would be taken from it. */
static __always_inline int hop_is_fresh(const struct packet *p, __u64 word)
{
	__u64 second = LIMPET_TICKS_PER_SECOND << LIMPET_NEXTHOP_TICKS_SHIFT;
	__u64 age = (hop_word(p, 0) - (word & LIMPET_NEXTHOP_TICKS_MASK) + second) & LIMPET_NEXTHOP_TICKS_MASK;

	return age < 2 * second;
}

/* Copies the slot's hop if it is fresh and the tag's own. Returns 0 if it is not. */
static __always_inline int hop_read(const struct packet *p, struct limpet_hop *hop, struct limpet_nexthop *slot,
				    __u64 word, __u64 tag)
{
	if (!word || !hop_is_fresh(p, word) || (word & LIMPET_NEXTHOP_TAG_MASK) != tag)
		return 0;
	*hop = slot->hop[word & LIMPET_NEXTHOP_ACTIVE];
	/* Had two others taken the slot over while we copied, the copy could be torn. */
	return *(volatile __u64 *)&slot->word == word;
}

/* The key is copied to the stack: Linux 6.1 takes none in memory that a function was handed (packet.h). */
static __always_inline struct limpet_nexthop *hop_slot(const struct hop_question *q)
{
	__u32 index = q->index;

	return bpf_map_lookup_elem(&nexthops, &index);
}

/* Fills `d->hop` from the slot `q->index` and returns 0, or returns 1 with the question. The steps around the look-up,
 * which needs the context, are functions that are verified once: what follows is not gone through for each outcome. */
GLOBAL int hop_begin(struct packet *p, struct decision *d, struct hop_question *q)
{
	struct limpet_config *c = config_get();
	struct limpet_nexthop *slot;
	__u64 word, claimed;

	if (!p || !d || !q)
		return 0;
	slot = hop_slot(q);
	d->probe = 0;
	if (!c || !slot) {
		d->hop.kind = LIMPET_HOP_UNREACHABLE;
		return 0;
	}
	word = *(volatile __u64 *)&slot->word;
	if (hop_read(p, &d->hop, slot, word, hop_tag(d->hop_address, d->hop_source)))
		return 0;
	/* The claim keeps tag and active half: the owner's packets go on with them meanwhile. */
	claimed = hop_word(p, (word & ~LIMPET_NEXTHOP_TICKS_MASK) | LIMPET_NEXTHOP_CLAIMED);
	if (!((word & LIMPET_NEXTHOP_CLAIMED) && hop_is_fresh(p, word)) &&
	    __sync_bool_compare_and_swap(&slot->word, word, claimed))
		q->claimed = claimed;
	hop_ask_for(q, d->hop_address, d->hop_source, c->mark_ifindex);
	return 1;
}

/* The answer into `d->hop`, and into the slot if that was claimed for it. */
GLOBAL int hop_end(struct packet *p, struct decision *d, struct hop_question *q)
{
	struct limpet_nexthop *slot;
	__u64 idle;

	if (!p || !d || !q)
		return 0;
	hop_answer(&d->hop, q);
	slot = hop_slot(q);
	/* Who has been held up for more than a second has lost the claim. */
	if (!q->claimed || !slot || *(volatile __u64 *)&slot->word != q->claimed)
		return 0;
	idle = !(q->claimed & LIMPET_NEXTHOP_ACTIVE);
	slot->hop[idle & 1] = d->hop;
	/* A full barrier: the half is filled before the word points to it. */
	if (__sync_bool_compare_and_swap(&slot->word, q->claimed,
					 hop_word(p, hop_tag(d->hop_address, d->hop_source) | idle)))
		d->probe = d->hop.kind == LIMPET_HOP_READY;
	return 0;
}

/* Fills `d->hop` and `d->probe` for `d->hop_address` and `d->hop_source` from slot `index`, which is theirs or to be
 * taken over. */
SUBPROGRAM int hop_get(void *context, struct packet *p, struct decision *d, __u32 index)
{
	struct hop_question q;

	__builtin_memset(&q, 0, sizeof(q));
	q.index = index;
	if (!hop_begin(p, d, &q))
		return 0;
	q.result = bpf_fib_lookup(context, &q.route, sizeof(q.route), 0);
	return hop_end(p, d, &q);
}

/* The same for `address` and `source`, inlined where most packets pass. */
static __always_inline void hop_get_often(void *context, struct packet *p, struct decision *d, __u32 index,
					  __u32 address, __u32 source)
{
	struct limpet_nexthop *slot = bpf_map_lookup_elem(&nexthops, &index);

	d->hop_address = address;
	d->hop_source = source;
	d->probe = 0;
	if (!slot || !hop_read(p, &d->hop, slot, *(volatile __u64 *)&slot->word, hop_tag(address, source)))
		hop_get(context, p, d, index);
}

static __always_inline __u32 client_hop_index(const struct limpet_config *c, __u32 client, __u32 source)
{
	__u32 hash = (client ^ (source * 0x85ebca6bU)) * 0x9e3779b1U;

	return c->client_hops + (hash >> 16) % LIMPET_CLIENT_HOPS;
}

#endif
