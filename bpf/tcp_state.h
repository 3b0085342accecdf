/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The TCP state machines of IPVS (ip_vs_proto_tcp.c, tcp_states and tcp_states_dos): next state by direction, flag and
 * state. */
#ifndef LIMPET_TCP_STATE_H
#define LIMPET_TCP_STATE_H

#include "packet.h"

enum { DIRECTION_IN, DIRECTION_OUT, DIRECTION_IN_ONLY, DIRECTIONS };
enum { FLAG_SYN, FLAG_FIN, FLAG_ACK, FLAG_RST, FLAGS };

#define NO LIMPET_TCP_NONE
#define ES LIMPET_TCP_ESTABLISHED
#define SS LIMPET_TCP_SYN_SENT
#define SR LIMPET_TCP_SYN_RECV
#define FW LIMPET_TCP_FIN_WAIT
#define TW LIMPET_TCP_TIME_WAIT
#define CL LIMPET_TCP_CLOSE
#define CW LIMPET_TCP_CLOSE_WAIT
#define LA LIMPET_TCP_LAST_ACK
#define LI LIMPET_TCP_LISTEN
#define SA LIMPET_TCP_SYNACK

/* clang-format off */
/* Columns are padded to 16, so that a masked state never reads beyond. */
static const __u8 tcp_next_state[2 * DIRECTIONS][FLAGS][16] = {
	[DIRECTION_IN] = {
		/*             NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA */
		[FLAG_SYN] = { SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR },
		[FLAG_FIN] = { CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW },
		[FLAG_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES },
		[FLAG_RST] = { CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR },
	},
	[DIRECTION_OUT] = {
		[FLAG_SYN] = { SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR },
		[FLAG_FIN] = { TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW },
		[FLAG_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES },
		[FLAG_RST] = { CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL },
	},
	/* While no reply has been seen and none is expected: the client's FIN alone closes. */
	[DIRECTION_IN_ONLY] = {
		[FLAG_SYN] = { SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR },
		[FLAG_FIN] = { CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW },
		[FLAG_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES },
		[FLAG_RST] = { CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL },
	},
	/* secure_tcp: established only when both sides have been heard. */
	[DIRECTIONS + DIRECTION_IN] = {
		[FLAG_SYN] = { SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SA },
		[FLAG_FIN] = { CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, SA },
		[FLAG_ACK] = { ES, ES, SS, SR, FW, TW, CL, CW, CL, LI, SA },
		[FLAG_RST] = { CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL },
	},
	[DIRECTIONS + DIRECTION_OUT] = {
		[FLAG_SYN] = { SS, ES, SS, SA, SS, SS, SS, SS, SS, LI, SA },
		[FLAG_FIN] = { TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW },
		[FLAG_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES },
		[FLAG_RST] = { CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL },
	},
	[DIRECTIONS + DIRECTION_IN_ONLY] = {
		[FLAG_SYN] = { SA, ES, ES, SR, SA, SA, SA, SA, SA, SA, SA },
		[FLAG_FIN] = { CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW },
		[FLAG_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES },
		[FLAG_RST] = { CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL },
	},
};

/* clang-format on */
#undef NO
#undef ES
#undef SS
#undef SR
#undef FW
#undef TW
#undef CL
#undef CW
#undef LA
#undef LI
#undef SA

/* RST before SYN before FIN before ACK; a segment with none of them closes (set_tcp_state()). */
static __always_inline __u32 tcp_next(const struct limpet_config *c, __u32 state, const struct packet *p,
				      __u32 direction)
{
	__u32 flag;

	if (p->tcp_flags & TCP_RST)
		flag = FLAG_RST;
	else if (p->tcp_flags & TCP_SYN)
		flag = FLAG_SYN;
	else if (p->tcp_flags & TCP_FIN)
		flag = FLAG_FIN;
	else if (p->tcp_flags & TCP_ACK)
		flag = FLAG_ACK;
	else
		return LIMPET_TCP_CLOSE;
	if (c->flags & LIMPET_SECURE_TCP)
		direction += DIRECTIONS;
	return tcp_next_state[direction][flag][state & LIMPET_FLOW_STATE_MASK];
}

/* tcp_state_active_table: what counts as ActiveConn. UDP's only state is 0 and never active. */
static __always_inline int state_is_active(__u32 state)
{
	return (1U << state) & (1U << LIMPET_TCP_ESTABLISHED | 1U << LIMPET_TCP_SYN_SENT | 1U << LIMPET_TCP_SYN_RECV |
				1U << LIMPET_TCP_SYNACK);
}

static __always_inline __u64 state_timeout_ticks(const struct limpet_config *c, __u8 protocol, __u32 state)
{
	__u32 seconds = protocol == IPPROTO_TCP ? c->tcp_timeouts[state & LIMPET_FLOW_STATE_MASK] : c->udp_timeout;

	return LIMPET_SECONDS_TO_TICKS(seconds);
}

#endif
