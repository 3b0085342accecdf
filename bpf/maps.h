/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The data plane's tables. All are pinned under the run directory; limpetd sets the ceilings (max_entries) of the ones
 * marked "ceiling" before loading. Hashes grow with use; arrays are mapped into limpetd, which stores words in place.
 */
#ifndef LIMPET_MAPS_H
#define LIMPET_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct limpet_config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536); /* ceiling */
	__type(key, struct limpet_service_key);
	__type(value, struct limpet_service);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 65536); /* ceiling of services */
	__type(key, __u32);
	__type(value, struct limpet_service_state);
} service_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries,
	       524288); /* four times the ceiling of destinations: old ranges wait for their grace period */
	__type(key, __u32);
	__type(value, struct limpet_list_entry);
} lists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 131072); /* ceiling */
	__type(key, __u32);
	__type(value, struct limpet_destination);
} destinations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 131072); /* ceiling of destinations */
	__type(key, __u32);
	__type(value, struct limpet_counts);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 131072); /* ceiling of destinations */
	__type(key, __u32);
	__type(value, struct limpet_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1048576); /* ceiling */
	__type(key, struct limpet_flow4_key);
	__type(value, struct limpet_flow);
} flows4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1048576); /* ceiling of flows */
	__type(key, struct limpet_reverse4_key);
	__type(value, struct limpet_reverse);
} reverse4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1048576); /* ceiling */
	__type(key, struct limpet_template4_key);
	__type(value, struct limpet_template);
} templates4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536); /* a sixteenth of the ceiling of templates */
	__type(key, struct limpet_locality_key);
	__type(value, struct limpet_locality);
} localities SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536); /* a sixteenth of the ceiling of templates */
	__type(key, struct limpet_locality_key);
	__type(value, struct limpet_locality_set);
} locality_sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 196608); /* ceiling of destinations + LIMPET_CLIENT_HOPS */
	__type(key, __u32);
	__type(value, struct limpet_nexthop);
} nexthops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LIMPET_DEVICES);
	__type(key, __u32);
	__type(value, struct limpet_device);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct limpet_address_bitmap);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LIMPET_LOCAL_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} local_cache SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LIMPET_EVENTS);
	__type(key, __u32);
	__type(value, __u64);
} events SEC(".maps");

/* Per CPU: {second (ticks) << 32 | ICMP errors sent in it}. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} icmp_budget SEC(".maps");

/* Ticks of the last time the flow table was full; 0: never. Shared by all CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} flows_full SEC(".maps");

/* drop_packet: new connections' packets until one is dropped, an s64. Shared by all CPUs, as the kernel's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s64);
} drop_counter SEC(".maps");

/* limpetd's own, kept here because they must outlive it: what -Z has subtracted from a destination's counters, and what
 * removed destinations have left to their service. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 131072); /* ceiling of destinations */
	__type(key, __u32);
	__type(value, struct limpet_counters);
} counter_bases SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 65536); /* ceiling of services */
	__type(key, __u32);
	__type(value, struct limpet_counters);
} service_residues SEC(".maps");

static __always_inline struct limpet_config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline void event(__u32 which)
{
	__u64 *count = bpf_map_lookup_elem(&events, &which);

	if (count)
		++*count;
}

#endif
