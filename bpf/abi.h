/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the data plane (C, in the kernel) and limpetd (C++) agree on: map keys and values, words, ids and limits.
 *
 * Pinned maps outlive the daemon, so this is a format, not an internal header: every change of a layout or of a meaning
 * raises LIMPET_ABI_VERSION, and a daemon of another version leaves the pinned data plane alone.
 * Addresses and ports are in network order unless a name says otherwise. IPv4 addresses in 16-byte fields use the
 * first four bytes, the rest is zero.
 */
#ifndef LIMPET_ABI_H
#define LIMPET_ABI_H

#include <linux/types.h>

#ifdef __cplusplus
#define LIMPET_ASSERT(condition, text) static_assert(condition, text)
#else
#define LIMPET_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define LIMPET_ABI_VERSION 2

/* ---- Time ------------------------------------------------------------------------------------------------------ */
/* All expiries count ticks of CLOCK_MONOTONIC nanoseconds >> 24 (16.8 ms): fine enough for timeouts in seconds, and
 * small enough to share a word with a state. */
#define LIMPET_TICK_SHIFT 24
#define LIMPET_SECOND_NS 1000000000ULL
#define LIMPET_SECONDS_TO_TICKS(s) (((s)*LIMPET_SECOND_NS) >> LIMPET_TICK_SHIFT)
#define LIMPET_TICKS_PER_SECOND 59ULL /* rounded down: "about a second" */

/* ---- Keys ------------------------------------------------------------------------------------------------------- */
/* Keys are addresses, never service ids: as in IPVS, connections and templates outlive their service, and the same
 * service added again finds them. */
#define LIMPET_IPV4 2 /* AF_INET */
#define LIMPET_IPV6 10

struct limpet_flow4_key {
	__u32 client_address;
	__u32 virtual_address;
	__u16 client_port;
	__u16 virtual_port;
	__u8 protocol;
	__u8 family;
	__u16 zero;
};
LIMPET_ASSERT(sizeof(struct limpet_flow4_key) == 16, "IPv4 keys are 16 bytes");

struct limpet_flow6_key {
	__u8 client_address[16];
	__u8 virtual_address[16];
	__u16 client_port;
	__u16 virtual_port;
	__u8 protocol;
	__u8 family;
	__u16 zero;
};
LIMPET_ASSERT(sizeof(struct limpet_flow6_key) == 40, "IPv6 keys are 40 bytes");

/* A persistence template: which client network sticks where. For a mark service, protocol is 0 and virtual_address is
 * the mark (network order), as ip_vs_sched_persist() keys it. virtual_port is 0 for a port-0 or mark service, and
 * LIMPET_INVALID_PORT once the template has been given up (ip_vs_check_template()). */
#define LIMPET_INVALID_PORT 0xffff
struct limpet_template4_key {
	__u32 client_network; /* client address & the service's netmask */
	__u32 virtual_address;
	__u16 virtual_port;
	__u8 protocol;
	__u8 family;
	__u32 zero;
};
LIMPET_ASSERT(sizeof(struct limpet_template4_key) == 16, "IPv4 keys are 16 bytes");

struct limpet_template6_key {
	__u8 client_network[16];
	__u8 virtual_address[16];
	__u16 virtual_port;
	__u8 protocol;
	__u8 family;
	__u32 zero;
};
LIMPET_ASSERT(sizeof(struct limpet_template6_key) == 40, "IPv6 keys are 40 bytes");

/* What a masqueraded server's reply looks like. */
struct limpet_reverse4_key {
	__u32 server_address;
	__u32 client_address;
	__u16 server_port;
	__u16 client_port;
	__u8 protocol;
	__u8 family;
	__u16 zero;
};
LIMPET_ASSERT(sizeof(struct limpet_reverse4_key) == 16, "IPv4 keys are 16 bytes");

/* A virtual service: by mark (protocol, port and address zero) or by address (mark zero). */
struct limpet_service_key {
	__u8 family;
	__u8 protocol;
	__u16 port;
	__u32 mark; /* host order */
	__u8 address[16];
};
LIMPET_ASSERT(sizeof(struct limpet_service_key) == 24, "service key");

/* ---- Claim words --------------------------------------------------------------------------------------------- */
/* {expiry, state} of a flow or template is one 64-bit word, and every end, revival or change of state is a
 * compare-and-exchange on it whose winner alone settles the counts. Elements of a hash without preallocation are
 * recycled as soon as they are deleted, so nothing else of an entry may be written while it is visible, unless the
 * writer holds it in life BUSY. The life of an entry:
 *   ALIVE    -> BUSY      a packet re-initialises it in place (expired, or its client reuses the port), or ends it
 *   BUSY     -> ALIVE     ... done; or the XDP door leaves that to tc, and the word is what it was: nothing else of the
 *                         entry has been written, so who has read it before may go on
 *   BUSY     -> DEAD      ... ended, or what was to come in its place could not
 *   ALIVE    -> DEAD      the sweeper found it expired and has settled its counts (a flow is BUSY meanwhile); the expiry
 *                         becomes the time of death
 *   DEAD     -> BUSY      a packet revives it
 *   DEAD     -> DELETING  the sweeper, at least a second later, in the moment before it deletes the element */
#define LIMPET_LIFE_ALIVE 0ULL
#define LIMPET_LIFE_BUSY 1ULL
#define LIMPET_LIFE_DEAD 2ULL
#define LIMPET_LIFE_DELETING 3ULL
#define LIMPET_LIFE_MASK 3ULL /* bits 0..1 of every word */

/* Flow: life 0..1, state 2..5, flags 6..15, expiry (ticks) 16..63. */
#define LIMPET_FLOW_STATE_SHIFT 2
#define LIMPET_FLOW_STATE_MASK 0xfULL
#define LIMPET_FLOW_NOOUTPUT (1ULL << 6) /* no reply seen, none expected (route, tunnel): input-only table */
#define LIMPET_FLOW_ASSURED (1ULL << 7)  /* has told its template so */
/* Packets from the client, counted up to LIMPET_FLOW_PACKETS_MANY, if the flow was opened while drop_entry was asked for;
 * 0: not counted. */
#define LIMPET_FLOW_PACKETS_SHIFT 12
#define LIMPET_FLOW_PACKETS_MASK 0xfULL
#define LIMPET_FLOW_PACKETS_MANY 9ULL
#define LIMPET_FLOW_EXPIRY_SHIFT 16

/* Template: life 0..1, flags 2..4, controlled flows 5..28, expiry (ticks) 29..63 (18 years of uptime). */
#define LIMPET_TEMPLATE_ASSURED (1ULL << 2)
#define LIMPET_TEMPLATE_EXTENDED (1ULL << 3) /* its timeout passed while it controlled flows: 60 s from then on */
#define LIMPET_TEMPLATE_COUNT_SHIFT 5
#define LIMPET_TEMPLATE_COUNT_MASK 0xffffffULL
#define LIMPET_TEMPLATE_EXPIRY_SHIFT 29
#define LIMPET_TEMPLATE_EXTENSION_SECONDS 60

/* TCP states in the kernel's order (IP_VS_TCP_S_*). UDP has one state, 0. */
enum limpet_tcp_state {
	LIMPET_TCP_NONE,
	LIMPET_TCP_ESTABLISHED,
	LIMPET_TCP_SYN_SENT,
	LIMPET_TCP_SYN_RECV,
	LIMPET_TCP_FIN_WAIT,
	LIMPET_TCP_TIME_WAIT,
	LIMPET_TCP_CLOSE,
	LIMPET_TCP_CLOSE_WAIT,
	LIMPET_TCP_LAST_ACK,
	LIMPET_TCP_LISTEN,
	LIMPET_TCP_SYNACK,
	LIMPET_TCP_STATES
};

/* ---- Values ------------------------------------------------------------------------------------------------------ */
/* Which template controls a flow: how its key follows from the flow's. */
enum limpet_template_kind {
	LIMPET_TEMPLATE_NONE,
	LIMPET_TEMPLATE_PORT,     /* protocol, address and port of the flow */
	LIMPET_TEMPLATE_ANY_PORT, /* protocol and address, port 0 */
	LIMPET_TEMPLATE_MARK      /* the mark */
};

struct limpet_flow {
	__u64 word;
	__u32 destination;      /* id; LIMPET_BYPASS: none */
	__u16 destination_port; /* at the real server */
	__u8 method;            /* enum limpet_method */
	__u8 template_kind;
	__u32 template_serial; /* tells the controlling template from a later one under the same key */
	__u32 template_mask;   /* IPv4: netmask in network order; IPv6: prefix length */
	__u32 mark;            /* of the mark service that opened it, host order; 0: an address service did */
	__u32 reserved[5];     /* sequence deltas, tunnels' source port, synchronisation */
};
LIMPET_ASSERT(sizeof(struct limpet_flow) == 48, "at most 56 bytes: 136 bytes of slab an element");

struct limpet_template {
	__u64 word;
	__u32 destination; /* id */
	__u32 serial;
	__u32 timeout; /* seconds; the service's when the template was made: -E does not touch it */
	__u32 mask;
	__u32 reserved[4];
};
LIMPET_ASSERT(sizeof(struct limpet_template) == 40, "at most 56 bytes: 136 bytes of slab an element");

struct limpet_reverse {
	__u32 virtual_address;
	__u16 virtual_port;
	__u16 reserved16;
	__u32 destination;
	__u32 reserved[3];
};
LIMPET_ASSERT(sizeof(struct limpet_reverse) == 24, "at most 24 bytes: 104 bytes of slab an element");

enum limpet_scheduler {
	LIMPET_RR,
	LIMPET_WRR,
	LIMPET_LC,
	LIMPET_WLC,
	LIMPET_LBLC,
	LIMPET_LBLCR,
	LIMPET_DH,
	LIMPET_SH,
	LIMPET_MH,
	LIMPET_SED,
	LIMPET_NQ,
	LIMPET_FO,
	LIMPET_OVF,
	LIMPET_TWOS,
	LIMPET_MAGLEV /* not of IPVS */
};

#define LIMPET_SERVICE_PERSISTENT 0x0001 /* IP_VS_SVC_F_* */
#define LIMPET_SERVICE_ONE_PACKET 0x0004
#define LIMPET_SERVICE_SCHEDULER_FLAGS 0x0038
#define LIMPET_SERVICE_FALLBACK 0x0008  /* sh-fallback, mh-fallback: another server for one that takes nobody new */
#define LIMPET_SERVICE_HASH_PORT 0x0010 /* sh-port, mh-port: the client's port counts, too */

struct limpet_service {
	__u32 id;      /* index into service_states */
	__u32 flags;   /* LIMPET_SERVICE_* */
	__u32 timeout; /* seconds of persistence */
	__u32 mask;    /* IPv4: netmask in network order; IPv6: prefix length */
	__u32 reserved[4];
};
LIMPET_ASSERT(sizeof(struct limpet_service) == 32, "service");

/* A service's destinations are published by one word {base, count, generation, scheduler} into the flat `lists` map:
 * write the new range, store the word, reuse the old range after a grace period. No packet sees a mix. */
#define LIMPET_PUBLISHED_BASE_SHIFT 0 /* 26 bits: index of the range's header */
#define LIMPET_PUBLISHED_BASE_MASK 0x3ffffffULL
#define LIMPET_PUBLISHED_COUNT_SHIFT 26 /* 18 bits: destinations, without the header */
#define LIMPET_PUBLISHED_COUNT_MASK 0x3ffffULL
#define LIMPET_PUBLISHED_GENERATION_SHIFT 44 /* 12 bits */
#define LIMPET_PUBLISHED_GENERATION_MASK 0xfffULL
#define LIMPET_PUBLISHED_SCHEDULER_SHIFT 56

/* Cursor of rr and wrr: {value, index, generation}. The index is that of the last one served, LIMPET_CURSOR_HEAD
 * before the first; wrr's current weight is the value. A cursor of another generation than the published one gives way
 * to the start that limpetd put into the range's header: what the kernel's would be after the same edit. */
#define LIMPET_CURSOR_VALUE_MASK 0xffffffffULL
#define LIMPET_CURSOR_INDEX_SHIFT 32 /* 20 bits */
#define LIMPET_CURSOR_INDEX_MASK 0xfffffULL
#define LIMPET_CURSOR_GENERATION_SHIFT 52
#define LIMPET_CURSOR_HEAD 0xfffffU

/* What the list does not say; a bit may be set before the list that needs it is there, and stay longer. */
#define LIMPET_STATE_THRESHOLDS 0x1U /* servers may be overloaded: look (limpet_counts) */
#define LIMPET_STATE_ONE_PACKET 0x2U /* its templates control no flows, however busy they are */

struct limpet_service_state {
	__u64 published;
	__u64 cursor;
	__u32 flags;       /* LIMPET_STATE_* */
	__u32 epoch;       /* of what lblc and lblcr remember: another one each time such a scheduler begins anew */
	__u64 reserved[5]; /* a cache line of its own */
};
LIMPET_ASSERT(sizeof(struct limpet_service_state) == 64, "a cache line");

/* A range in `lists`: LIMPET_LIST_HEADER entries {first: start index, second: start value}, {first: highest weight,
 * second: greatest common divisor of the weights}, then {first: destination id, second: weight} in the kernel's order,
 * the last one added first. */
#define LIMPET_LIST_HEADER 2
struct limpet_list_entry {
	__u32 first;
	__u32 second;
};

/* dh, sh, mh and maglev have no cursor but a table: buckets behind the destinations, LIMPET_ENTRY_BUCKETS an entry, each
 * the place of its server in the list. The first entry of their header is {first: the service's
 * LIMPET_SERVICE_SCHEDULER_FLAGS, second: number of buckets, 0 if there is no server to fill them}. Behind maglev's buckets
 * are two entries more, the halves of its key. */
#define LIMPET_ENTRY_BUCKETS 4
#define LIMPET_MOST_PLACES 65536 /* servers that a table can name */
typedef __u16 limpet_bucket;
LIMPET_ASSERT(sizeof(limpet_bucket) * LIMPET_ENTRY_BUCKETS == sizeof(struct limpet_list_entry), "buckets in an entry");
#define LIMPET_SH_BUCKETS 256U  /* of dh as well (ip_vs_sh.c, ip_vs_dh.c) */
#define LIMPET_MH_BUCKETS 4093U /* ip_vs_mh.c with the kernel's default, CONFIG_IP_VS_MH_TAB_INDEX 12 */

/* twos draws from a table behind the destinations, a column each: {first: another place in the list, second: cutoff}. A
 * drawn column means its own place for a drawn unit below the cutoff, else the other one. The first entry of the header is
 * {first: units, 0 if nobody has a weight, second: place of the first server with a weight}. */

enum limpet_method { LIMPET_MASQ, LIMPET_LOCAL, LIMPET_TUNNEL, LIMPET_ROUTE };

#define LIMPET_DESTINATION_USED 0x1      /* the id is taken */
#define LIMPET_DESTINATION_AVAILABLE 0x2 /* configured now; else removed, kept for what still names it */

/* The id that no destination has: of a flow that goes past all servers to the address it was sent to (cache_bypass).
 * Its counts are of such flows. */
#define LIMPET_BYPASS 0U

/* A destination belongs to one service; its id is not given away while a flow or template names it. */
struct limpet_destination {
	__u32 flags;
	__u32 weight;
	__u8 address[16];
	__u16 port; /* 0: the packet's own */
	__u8 family;
	__u8 method;
	__u32 nexthop;         /* index into nexthops */
	__u32 upper_threshold; /* connections; 0: none */
	__u32 lower_threshold; /* 0: three quarters of the upper one */
	__u8 tunnel_type;
	__u8 reserved8;
	__u16 tunnel_port;
	__u16 tunnel_flags;
	__u16 reserved16;
	struct limpet_service_key service;
	__u32 last_weight; /* the last one other than 0 since it was added; 0: there was none */
	__u32 service_id;  /* of `service` */
	__u64 born;        /* ticks: when this server was given the id; what names it and is older means another */
	__u32 more_reserved[2];
};
LIMPET_ASSERT(sizeof(struct limpet_destination) == 96, "destination");

/* Localities: where lblc and lblcr sent a service's connections to a virtual address. They are replaced as a whole; only
 * `used` is written in place, at most once a second. limpetd forgets those that have not been used for long. */
struct limpet_locality_key {
	__u32 service; /* id */
	__u32 epoch;   /* of its state: what belongs to another one is as good as forgotten */
	__u8 address[16];
};
LIMPET_ASSERT(sizeof(struct limpet_locality_key) == 24, "locality key");

struct limpet_locality {
	__u32 destination; /* id; void if that server was born after the last change */
	__u32 reserved;
	__u64 changed; /* ticks */
	__u64 used;    /* ticks */
};
LIMPET_ASSERT(sizeof(struct limpet_locality) == 24, "locality");

#define LIMPET_LOCALITY_SERVERS 100
struct limpet_locality_set {
	__u64 changed;
	__u64 used;
	__u32 count;
	__u32 reserved;
	__u32 destinations[LIMPET_LOCALITY_SERVERS]; /* ids, the last one that came first */
};
LIMPET_ASSERT(sizeof(struct limpet_locality_set) == 424, "at most 432 bytes: 512 bytes of slab an element");

#define LIMPET_LOCALITY_SECONDS 86400 /* without a use (lblc_expiration, lblcr_expiration) */

/* Written by packets and the sweeper, always atomically; `overloaded` also by limpetd, when it changes a threshold. */
struct limpet_counts {
	__s32 active;     /* flows in an active state */
	__s32 total;      /* flows; inactive = total - active */
	__s32 persistent; /* templates */
	__u32 overloaded; /* 1: by its thresholds, it is not to be given new connections */
	__s32 reserved[12];
};
LIMPET_ASSERT(sizeof(struct limpet_counts) == 64, "a cache line");

/* Per CPU. Bytes are IP bytes: before encapsulation inwards, after translation outwards. */
struct limpet_counters {
	__u64 connections;
	__u64 in_packets;
	__u64 out_packets;
	__u64 in_bytes;
	__u64 out_bytes;
};

/* Where packets for an address go. Servers' slots come first and belong to destinations; then LIMPET_CLIENT_HOPS slots
 * that masqueraded replies share by a hash of {client, virtual address}. The data plane refreshes a slot when it is
 * older than a second: the winner of a compare-and-exchange on the word fills the idle half, then switches. */
enum limpet_hop_kind {
	LIMPET_HOP_NONE,      /* never looked up */
	LIMPET_HOP_READY,     /* MAC addresses known */
	LIMPET_HOP_NEIGHBOUR, /* interface known; the kernel has to resolve the neighbour */
	LIMPET_HOP_LOCAL,     /* this host */
	LIMPET_HOP_UNREACHABLE
};
struct limpet_hop {
	__u32 ifindex;
	__u16 mtu;
	__u8 kind;
	__u8 family;
	__u8 destination_mac[6]; /* the two in a frame's order, to be written in one go */
	__u8 source_mac[6];
	__u8 gateway[16]; /* address of the neighbour */
	__u32 reserved;
} __attribute__((aligned(8))); /* copied by eight bytes */
LIMPET_ASSERT(sizeof(struct limpet_hop) == 40, "hop");

#define LIMPET_NEXTHOP_ACTIVE 1ULL   /* bit 0 of the word: which half is valid */
#define LIMPET_NEXTHOP_CLAIMED 2ULL  /* bit 1: somebody is filling the other half */
#define LIMPET_NEXTHOP_TICKS_SHIFT 2 /* bits 2..31: ticks of the last refresh or claim */
#define LIMPET_NEXTHOP_TICKS_MASK 0xfffffffcULL
#define LIMPET_NEXTHOP_TAG_SHIFT 32 /* bits 32..63: whose slot it is */
#define LIMPET_NEXTHOP_TAG_MASK 0xffffffff00000000ULL
struct limpet_nexthop {
	__u64 word;
	struct limpet_hop hop[2];
};
LIMPET_ASSERT(sizeof(struct limpet_nexthop) == 88, "next hop");
#define LIMPET_CLIENT_HOPS 65536U

/* Interfaces with a door, by ifindex % LIMPET_DEVICES. */
#define LIMPET_DEVICES 1024U
#define LIMPET_DEVICE_XDP_TARGET 0x1 /* its driver can take redirected XDP frames */
struct limpet_device {
	__u32 ifindex;
	__u32 flags;
	__u8 mac[6];
	__u16 reserved;
};
LIMPET_ASSERT(sizeof(struct limpet_device) == 16, "device");

/* Bitmap over hashed addresses: those of services, of flows and of masqueraded servers. An address whose bit is clear
 * is none of ours. Two banks: packets set both and test the active one, so that limpetd can rebuild the other. */
#define LIMPET_ADDRESS_BITS 65536U
struct limpet_address_bitmap {
	__u64 bank[2][LIMPET_ADDRESS_BITS / 64];
};

/* One word a slot: an address (IPv6: a hash of it) that was found local here, and when. */
#define LIMPET_LOCAL_SLOTS 4096U

/* ---- Configuration ------------------------------------------------------------------------------------------- */
#define LIMPET_DEFER_IPV4 0x1 /* first packets go through netfilter to the mark door */
#define LIMPET_DEFER_IPV6 0x2
#define LIMPET_SECURE_TCP 0x4    /* the other TCP state table (tcp_states_dos) */
#define LIMPET_COUNT_PACKETS 0x8 /* of new flows, for drop_entry */
struct limpet_config {
	__u32 abi_version;
	__u32 flags;
	__u32 mark_ifindex; /* limpet0: the mark door, and the interface routes are looked up from */
	__u32 active_bank;  /* of the address bitmap */
	__u32 client_hops;  /* index of the first client slot in nexthops */
	__u32 conn_reuse_mode;
	__u32 expire_nodest_conn;
	__u32 expire_quiescent_template;
	__u32 sloppy_tcp;
	__u32 tcp_timeouts[16]; /* seconds, by enum limpet_tcp_state */
	__u32 udp_timeout;
	__u64 drop_until;       /* ticks: drop_packet is in force until then, should limpetd not be there to end it */
	__u32 drop_rate;        /* drop_packet: one new connection's packet of so many, as an s32; 0: none */
	__u32 lblc_expiration;  /* seconds; 0: LIMPET_LOCALITY_SECONDS */
	__u32 lblcr_expiration; /* seconds, also until a set is made smaller */
	__u32 cache_bypass;     /* what no server of a mark service takes goes where it was sent to */
	__u32 reserved[24];
};
LIMPET_ASSERT(sizeof(struct limpet_config) == 224, "config");

/* Events of the data plane as a whole, per CPU. */
enum limpet_event {
	LIMPET_EVENT_FLOWS_FULL,     /* a flow could not be recorded: forwarded by hash */
	LIMPET_EVENT_TEMPLATES_FULL, /* a template could not be recorded */
	LIMPET_EVENT_REVERSE_FULL,   /* a masqueraded flow could not be recorded: dropped */
	LIMPET_EVENT_NO_SERVER,      /* no destination to schedule: port unreachable */
	LIMPET_EVENT_UNAVAILABLE,    /* packet of a removed server's connection: dropped */
	LIMPET_EVENT_UNREACHABLE,    /* no route to the real server or client: dropped */
	LIMPET_EVENT_ICMP_LIMITED,   /* an ICMP error was not sent: more than LIMPET_ICMP_PER_SECOND */
	LIMPET_EVENTS
};
#define LIMPET_ICMP_PER_SECOND 1000

/* ---- Sweeper ------------------------------------------------------------------------------------------------- */
#define LIMPET_SWEEP_KEYS 2048U
enum limpet_sweep_table {
	LIMPET_SWEEP_FLOWS4, /* expired or dead */
	LIMPET_SWEEP_TEMPLATES4,
	LIMPET_EXPIRE_FLOWS4, /* of removed servers, for expire_nodest_conn */
	LIMPET_EXPIRE_TEMPLATES4,
	LIMPET_DROP_FLOWS4, /* for drop_entry */
	LIMPET_DROP_TEMPLATES4
};
/* Input of the sweep program: keys whose copies looked so; it judges again on the entries themselves. */
struct limpet_sweep {
	__u32 table;
	__u32 count;
	__u8 keys[LIMPET_SWEEP_KEYS][16];
};
LIMPET_ASSERT(sizeof(struct limpet_sweep) < 65536, "the context of a syscall program");

#include "abi_explain.h"

#endif
