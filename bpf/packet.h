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

/* The kernel has forwarded them to limpet0: they are for a local address, and it has taken its one off the TTL. */
static __always_inline int came_by_netfilter(const enum door door) { return door == DOOR_MARK || door == DOOR_RETURN; }

struct packet {
	struct limpet_flow4_key key; /* client: the packet's source; virtual: its destination */
	__u64 now;                   /* ticks */
	__u32 ip_bytes;
	__u32 ingress_ifindex; /* DOOR_XDP only */
	__u32 mark;            /* DOOR_MARK only */
	__u8 door;
	__u8 ttl;
	__u8 dont_fragment;
	__u8 segmented;  /* GSO: the stack or the card will cut it, the size says nothing */
	__u8 in_buffers; /* DOOR_XDP only: more than one buffer, which few drivers take from another device */
	/* TCP flags; UDP: none */
	__u8 syn, fin, ack, rst;
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
	__u8 probe; /* let the kernel's neighbour code carry this one, so that it keeps the entry alive */
	__u32 icmp_mtu;
	__u32 destination; /* id, for the counters; 0: none */
	__u8 reply;        /* from a real server to a client: rewrite the source, else the destination */
	__u8 rewrite;      /* address and port below replace the packet's */
	__u16 port;
	__u32 address;
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
