/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A packet as the doors see it, and what is decided about it. */
#ifndef LIMPET_PACKET_H
#define LIMPET_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* A function of its own in the program, verified at each call: keeps the stack and the program small. "used" stops the
 * compiler from leaving the return register undefined where no caller looks at it, which the verifier would refuse. */
#define SUBPROGRAM static __attribute__((noinline, used))

/* A function verified once, on its own, for every pointer it may be given: what keeps the verifier's work bounded. Its
 * arguments are numbers and plain memory (so no context and no entry of a map that is to stay one), and it must test
 * pointers for null. Linux 6.1 takes no such memory for a map's key or value: copy it to the stack first. */
#define GLOBAL __attribute__((noinline))

/* Where the code runs. It is a constant in every inlined function, so that each program holds its own branches only. */
enum door {
	DOOR_XDP,
	DOOR_TC,    /* clsact ingress of an interface */
	DOOR_MARK,  /* clsact egress of limpet0: packets that have been through netfilter */
	DOOR_RETURN /* clsact ingress of limpet1: the mark door's packets whose neighbour has to be resolved first */
};

/* The kernel has forwarded them to limpet0: they are for an address that is local by its rules, which may be a
 * transparent proxy's, and it has taken its one off the TTL. */
static __always_inline int came_by_netfilter(const enum door door) { return door == DOOR_MARK || door == DOOR_RETURN; }

/* As in the 14th byte of a TCP header. */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* A key as the hash and the comparison read it. One put together of its fields would have them wait until the fields
 * have reached the cache: a processor does not forward several small stores to one load. */
union flow_key {
	struct limpet_flow4_key fields;
	__u64 words[2];
};

/* Two that follow one another in memory. */
static __always_inline __u64 both_addresses(__u32 first, __u32 second)
{
	return bpf_cpu_to_be64((__u64)bpf_ntohl(first) << 32 | bpf_ntohl(second));
}

static __always_inline __u32 both_ports(__u16 first, __u16 second)
{
	return bpf_htonl((__u32)bpf_ntohs(first) << 16 | bpf_ntohs(second));
}

/* `addresses` and `ports` as they follow one another in memory, client's first. */
static __always_inline void flow_key_set(union flow_key *key, __u64 addresses, __u32 ports, __u8 protocol)
{
	key->words[0] = addresses;
	key->words[1] = bpf_cpu_to_be64((__u64)bpf_ntohl(ports) << 32 | (__u64)protocol << 24 | LIMPET_IPV4 << 16);
}

struct packet {
	union {
		struct limpet_flow4_key key; /* client: the packet's source; virtual: its destination */
		union flow_key whole_key;
	};
	__u64 now; /* ticks */
	__u32 ip_bytes;
	union {
		__u32 ingress_ifindex; /* DOOR_XDP */
		__u32 mark;            /* DOOR_MARK */
	};
	__u8 door;
	__u8 ttl;
	__u8 dont_fragment;
	__u8 segmented;  /* GSO: the stack or the card will cut it, the size says nothing */
	__u8 in_buffers; /* DOOR_XDP only: more than one buffer, which few drivers take from another device */
	__u8 tcp_flags;  /* UDP: none */
};

enum verdict {
	VERDICT_PASS, /* none of ours: on it goes, untouched */
	VERDICT_DROP,
	VERDICT_FORWARD,
	VERDICT_ICMP, /* answer with an ICMP error */
};

struct decision {
	__u8 verdict;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 probe;        /* let the kernel's neighbour code carry this one, so that it keeps the entry alive */
	__u32 destination; /* id, for the counters; 0: none */
	__u8 reply;        /* from a real server to a client: rewrite the source, else the destination */
	__u8 rewrite;      /* address and port below replace the packet's */
	__u16 port;
	union {
		__u32 address;
		__u32 icmp_mtu; /* of VERDICT_ICMP, which rewrites nothing */
	};
	__u32 hop_address; /* whose way hop_get() is to find, and from which source */
	__u32 hop_source;
	struct limpet_hop hop;
};

static __always_inline __u64 ticks_now(void) { return bpf_ktime_get_coarse_ns() >> LIMPET_TICK_SHIFT; }

static __always_inline int decide(struct decision *d, enum verdict verdict)
{
	d->verdict = verdict;
	return verdict;
}

static __always_inline int decide_icmp(struct decision *d, __u8 type, __u8 code, __u32 mtu)
{
	d->icmp_type = type;
	d->icmp_code = code;
	d->icmp_mtu = mtu;
	return decide(d, VERDICT_ICMP);
}

#endif
