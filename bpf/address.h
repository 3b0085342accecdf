/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which addresses concern us: the bitmap that lets bystanders go by without a hash lookup, and whether an address is
 * local to this host now (a VRRP backup does nothing for addresses it does not own). */
#ifndef LIMPET_ADDRESS_H
#define LIMPET_ADDRESS_H

#include "maps.h"
#include "packet.h"

/* limpetd computes the same hash (src/dataplane/address_bits.h). */
static __always_inline __u32 address4_hash(__u32 address)
{
	address *= 0x9e3779b1U; /* 2^32 / golden ratio: neighbouring addresses spread */
	return address >> 16;
}

static __always_inline struct limpet_address_bitmap *address_bitmap(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&addresses, &zero);
}

static __always_inline int address_is_ours(const struct limpet_address_bitmap *map, __u32 bank, __u32 address)
{
	__u32 bit = address4_hash(address);

	return (map->bank[bank & 1][bit / 64] >> (bit % 64)) & 1;
}

/* Both banks, so that a rebuild of the idle one cannot lose it. Call it after the entry it stands for is in its table:
 * the rebuilder clears first and walks the tables then. */
static __always_inline void address_add(struct limpet_address_bitmap *map, __u32 address)
{
	__u32 bit = address4_hash(address);
	__u64 mask = 1ULL << (bit % 64);

	if (!(map->bank[0][bit / 64] & mask))
		__sync_fetch_and_or(&map->bank[0][bit / 64], mask);
	if (!(map->bank[1][bit / 64] & mask))
		__sync_fetch_and_or(&map->bank[1][bit / 64], mask);
}

/* The cache's word for an address that was local `now`. */
static __always_inline __u64 local_stamp(__u32 address, __u64 now) { return (__u64)address << 32 | (__u32)now; }

static __always_inline int local_is_fresh(__u64 stamp, __u32 address, __u64 now)
{
	return stamp >> 32 == address && (__u32)now - (__u32)stamp < LIMPET_TICKS_PER_SECOND;
}

SUBPROGRAM int address_ask(void *context, const struct packet *p, __u32 address, __u32 mark_ifindex)
{
	__u32 slot = address4_hash(address) % LIMPET_LOCAL_SLOTS;
	__u64 *cached = bpf_map_lookup_elem(&local_cache, &slot);
	struct bpf_fib_lookup route = {
		.family = LIMPET_IPV4,
		.ifindex = mark_ifindex,
		.tot_len = 1, /* asks for the MTU instead of judging the packet's size */
		.ipv4_dst = address,
	};

	/* NOT_FWDED also stands for "no route at all", but limpetd keeps a last rule for limpet0 that prohibits. */
	if (bpf_fib_lookup(context, &route, sizeof(route), 0) != BPF_FIB_LKUP_RET_NOT_FWDED)
		return 0;
	if (cached)
		*(volatile __u64 *)cached = local_stamp(address, p->now);
	return 1;
}

/* Only "local" is remembered, for about a second: an address that comes is seen at once, one that goes within a second
 * (at once while limpetd runs: it clears the cache). */
static __always_inline int address_is_local(void *context, const struct packet *p, __u32 address, __u32 mark_ifindex)
{
	__u32 slot = address4_hash(address) % LIMPET_LOCAL_SLOTS;
	__u64 *cached = bpf_map_lookup_elem(&local_cache, &slot);

	/* Read once: another CPU may put another address there. */
	if (cached && local_is_fresh(*(volatile __u64 *)cached, address, p->now))
		return 1;
	return address_ask(context, p, address, mark_ifindex);
}

#endif
