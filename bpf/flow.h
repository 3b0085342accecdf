/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flows: a connection's entry, its word, and what its end settles. */
#ifndef LIMPET_FLOW_H
#define LIMPET_FLOW_H

#include "counters.h"
#include "maps.h"
#include "packet.h"
#include "reverse.h"
#include "tcp_state.h"
#include "template.h"

#define FLOW_TRIES 4
#define NOT_RECORDED_EEXIST -17

static __always_inline __u64 flow_expiry(__u64 word) { return word >> LIMPET_FLOW_EXPIRY_SHIFT; }

static __always_inline __u32 flow_state(__u64 word)
{
	return (word >> LIMPET_FLOW_STATE_SHIFT) & LIMPET_FLOW_STATE_MASK;
}

static __always_inline __u64 flow_flags(__u64 word) { return word & (LIMPET_FLOW_NOOUTPUT | LIMPET_FLOW_ASSURED); }

/* The client's packets, as bits of the word, with one more: a counted flow's first nine packets write, no later one. */
static __always_inline __u64 flow_packets_next(__u64 word)
{
	const __u64 one = 1ULL << LIMPET_FLOW_PACKETS_SHIFT;
	__u64 packets = word & LIMPET_FLOW_PACKETS_MASK << LIMPET_FLOW_PACKETS_SHIFT;

	return packets - one < (LIMPET_FLOW_PACKETS_MANY - 1) * one ? packets + one : packets;
}

static __always_inline __u64 flow_word(__u64 expiry, __u32 state, __u64 flags)
{
	return expiry << LIMPET_FLOW_EXPIRY_SHIFT | (__u64)state << LIMPET_FLOW_STATE_SHIFT | flags;
}

static __always_inline int flow_is_alive(__u64 word, __u64 now)
{
	return (word & LIMPET_LIFE_MASK) == LIMPET_LIFE_ALIVE && flow_expiry(word) > now;
}

static __always_inline int flow_is_active(const struct limpet_flow4_key *key, __u64 word)
{
	return key->protocol == IPPROTO_TCP && state_is_active(flow_state(word));
}

/* What the end of a flow takes back of the counts: its server's, and its hold on the template. */
static __always_inline void flow_uncount(const struct limpet_flow4_key *key, const struct limpet_flow *flow, __u64 word,
					 __u64 now)
{
	__u64 ended = flow_expiry(word) < now ? flow_expiry(word) : now;

	count_flow(flow->destination, flow_is_active(key, word), -1);
	if (flow->template_kind != LIMPET_TEMPLATE_NONE)
		template_release(key, flow, ended);
}

/* All that the end of a flow takes back: counts and reverse entry. Called once, by whoever moved its word from ALIVE. */
SUBPROGRAM int flow_settle(const struct limpet_flow4_key *key, const struct limpet_flow *flow, __u64 word, __u64 now)
{
	reverse_remove(key, flow);
	flow_uncount(key, flow, word, now);
	return 0;
}

/* Ends a flow that is alive, settled and for the sweeper to delete, whatever time it had left (ip_vs_conn_expire_now()).
 * Held while it is settled: a packet may come in between and revive the dead. Returns 0 if somebody else has changed the
 * word. A function of its own: where it is called from is the way of every packet. */
SUBPROGRAM int flow_end(const struct limpet_flow4_key *key, struct limpet_flow *flow, __u64 word, __u64 now)
{
	if (!flow || !__sync_bool_compare_and_swap(&flow->word, word, word | LIMPET_LIFE_BUSY))
		return 0;
	flow_settle(key, flow, word, now);
	__sync_lock_test_and_set(&flow->word, flow_word(now, flow_state(word), LIMPET_LIFE_DEAD));
	return 1;
}

/* The next state for this packet, the timeout that goes with it, and what follows from a change. `word` is what the
 * flow's was when it was found, alive. Returns 0 if the flow ended under us. */
static __always_inline int flow_advance(struct packet *p, const struct limpet_flow4_key *key, struct limpet_flow *flow,
					__u64 word, const struct limpet_config *c, int reply)
{
	__u64 next;
	__u64 flags, expiry;
	__u32 state, direction, destination;
	int assure;

	for (int i = 0; i < FLOW_TRIES; i++) {
		flags = flow_flags(word);
		state = flow_state(word);
		if (reply)
			flags &= ~LIMPET_FLOW_NOOUTPUT;
		direction = reply ? DIRECTION_OUT : flags & LIMPET_FLOW_NOOUTPUT ? DIRECTION_IN_ONLY : DIRECTION_IN;
		if (key->protocol == IPPROTO_TCP)
			state = tcp_next(c, state, p, direction);
		assure = flow->template_kind != LIMPET_TEMPLATE_NONE && !(flags & LIMPET_FLOW_ASSURED) &&
			 (key->protocol == IPPROTO_TCP ? state == LIMPET_TCP_ESTABLISHED : reply);
		if (assure)
			flags |= LIMPET_FLOW_ASSURED;
		expiry = p->now + state_timeout_ticks(c, key->protocol, state);
		flags |= reply ? word & LIMPET_FLOW_PACKETS_MASK << LIMPET_FLOW_PACKETS_SHIFT : flow_packets_next(word);
		next = flow_word(expiry, state, flags);
		/* Nothing new but a deadline less than a second away from the one that is there. A longer timeout than
		 * the new one gives way: the state is the same, so --set has lowered it. */
		if ((word & ((1ULL << LIMPET_FLOW_EXPIRY_SHIFT) - 1)) ==
			    (next & ((1ULL << LIMPET_FLOW_EXPIRY_SHIFT) - 1)) &&
		    expiry - flow_expiry(word) < LIMPET_TICKS_PER_SECOND)
			return 1;
		/* Before the word changes: what is closed by it, a SYN may open anew at once, with another server. */
		destination = *(volatile __u32 *)&flow->destination;
		if (!__sync_bool_compare_and_swap(&flow->word, word, next)) {
			word = *(volatile __u64 *)&flow->word;
			if (!flow_is_alive(word, p->now))
				return 0;
			continue;
		}
		if (flow_is_active(key, word) != flow_is_active(key, next))
			count_active(destination, flow_is_active(key, next) ? 1 : -1);
		if (assure)
			template_assure(key, flow);
		return 1;
	}
	return 1; /* others keep it alive */
}

#endif
