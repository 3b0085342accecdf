/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What limpetd asks the explain program, and what that answers: the part of abi.h that no pinned table holds. */
#ifndef LIMPET_ABI_EXPLAIN_H
#define LIMPET_ABI_EXPLAIN_H

/* Where the next packet that opens a connection would go. In the order in which the data plane asks. */
enum limpet_explain_rule {
	LIMPET_EXPLAIN_CONNECTION,     /* a connection is there: its server */
	LIMPET_EXPLAIN_REMOVED,        /* a connection is there, its server has been removed: dropped */
	LIMPET_EXPLAIN_SOURCE,         /* a source that opens nothing (127/8, multicast, ...): passed on */
	LIMPET_EXPLAIN_FTP_DATA,       /* from port 20: passed on */
	LIMPET_EXPLAIN_NO_SERVICE,     /* passed on */
	LIMPET_EXPLAIN_NOT_PERSISTENT, /* port 0 is for persistent services only: passed on */
	LIMPET_EXPLAIN_NOT_LOCAL,      /* the address is not this host's: passed on */
	LIMPET_EXPLAIN_TEMPLATE,
	LIMPET_EXPLAIN_SCHEDULER,
	LIMPET_EXPLAIN_HASH,       /* the table of connections has been full lately */
	LIMPET_EXPLAIN_NO_SERVER,  /* nothing to schedule: port unreachable */
	LIMPET_EXPLAIN_BYPASS,     /* nothing to schedule, or when the connection began: to where it was sent to */
	LIMPET_EXPLAIN_DROP_PACKET /* it is the turn of drop_packet: dropped */
};
#define LIMPET_EXPLAIN_DEFERRED 0x1 /* it goes through netfilter first, to the mark door */
#define LIMPET_EXPLAIN_REUSED 0x2   /* a connection is there, but a SYN begins it anew */
#define LIMPET_EXPLAIN_GIVEN_UP 0x4 /* a template is there, but its server does not serve: given up */
#define LIMPET_EXPLAIN_LED 0x8      /* asked: the host's rules lead such packets here, whoever the address is */

/* Question and answer of the explain program. Only one at a time: limpetd's loop asks. */
struct limpet_explain {
	struct limpet_flow4_key key; /* client port 0: any that has no connection yet */
	__u32 mark;
	__u32 rule;
	__u32 flags;
	__u32 destination;   /* id; 0: none */
	__u64 word;          /* of the connection or template that decides */
	__u32 former;        /* destination of what is begun anew or given up */
	__u32 template_mask; /* of the template that decides */
	__u32 template_kind;
	__u16 destination_port;
	__u8 method;   /* enum limpet_method */
	__u8 hop_kind; /* enum limpet_hop_kind: the way to the destination, or past all of them */
	struct limpet_service_key service;
};
LIMPET_ASSERT(sizeof(struct limpet_explain) == 80, "explain");

#endif
