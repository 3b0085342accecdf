/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sweeper's half in the kernel: judges the entries that limpetd found expired in its copies, settles the dead and
 * deletes those dead for a second. Verdicts on packets never depend on it. */
#ifndef LIMPET_SWEEP_H
#define LIMPET_SWEEP_H

#include "flow.h"

/* Longer than any program runs: whoever read an entry before it died has let go of it. */
#define GRACE_TICKS LIMPET_TICKS_PER_SECOND

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct limpet_sweep);
} sweep_request SEC(".maps");

static __always_inline void sweep_flow(const struct limpet_flow4_key *key, __u64 now)
{
	struct limpet_flow *f = bpf_map_lookup_elem(&flows4, key);
	__u64 word, life;

	if (!f)
		return;
	word = *(volatile __u64 *)&f->word;
	life = word & LIMPET_LIFE_MASK;
	if (life == LIMPET_LIFE_ALIVE && flow_expiry(word) <= now) {
		flow_end(key, f, word, now);
	} else if (life == LIMPET_LIFE_DEAD && now - flow_expiry(word) > GRACE_TICKS) {
		if (__sync_bool_compare_and_swap(&f->word, word, word | LIMPET_LIFE_DELETING))
			bpf_map_delete_elem(&flows4, key);
	}
}

static __always_inline void template_end(struct limpet_template *t, __u64 word, __u64 now)
{
	__u32 destination = t->destination;

	if (__sync_bool_compare_and_swap(&t->word, word, template_word(now, 0, LIMPET_LIFE_DEAD)))
		count_template(destination, -1);
}

static __always_inline int is_unavailable(__u32 destination)
{
	struct limpet_destination *d = bpf_map_lookup_elem(&destinations, &destination);

	return d && destination != LIMPET_BYPASS && !(d->flags & LIMPET_DESTINATION_AVAILABLE);
}

/* What ends before its time: all that is a removed server's, for expire_nodest_conn (ip_vs_expire_nodest_conn_flush()), or
 * what drop_entry may end, no template that has looked real (ip_vs_conn_expire()). */
enum early_end { END_REMOVED, END_DROPPED };

/* One that controls no flow. */
static __always_inline int template_may_end(__u64 word, enum early_end why)
{
	return (word & LIMPET_LIFE_MASK) == LIMPET_LIFE_ALIVE && !template_count(word) &&
	       !(why == END_DROPPED && (word & LIMPET_TEMPLATE_ASSURED));
}

#define DROP_IDLE_SECONDS 60

/* Whether drop_entry may end the flow (ip_vs_random_dropentry()): half open, or idle after few packets. Which of these
 * it does end, limpetd has chosen. */
static __always_inline int may_be_dropped(const struct limpet_flow4_key *key, __u64 word, __u64 now)
{
	__u64 packets = word >> LIMPET_FLOW_PACKETS_SHIFT & LIMPET_FLOW_PACKETS_MASK;
	struct limpet_config *c = config_get();
	__u32 state = flow_state(word);
	__u64 timeout;

	if (!c)
		return 0;
	if (key->protocol == IPPROTO_TCP) {
		if (state == LIMPET_TCP_SYN_RECV || state == LIMPET_TCP_SYNACK)
			return 1;
		if (state != LIMPET_TCP_ESTABLISHED)
			return 0;
	}
	timeout = state_timeout_ticks(c, key->protocol, state);
	return packets && packets < LIMPET_FLOW_PACKETS_MANY &&
	       flow_expiry(word) + LIMPET_SECONDS_TO_TICKS(DROP_IDLE_SECONDS) <= now + timeout;
}

/* Whether the service is one of one-packet scheduling and a client has used the template in the last 60 s: drop_entry
 * takes that for a connection (todrop_entry()). */
static __always_inline int template_is_in_use(const struct limpet_template *t, __u64 word, __u64 now)
{
	__u32 destination = t->destination;
	struct limpet_destination *d = bpf_map_lookup_elem(&destinations, &destination);
	__u32 service = d ? d->service_id : 0;
	struct limpet_service_state *state = d ? bpf_map_lookup_elem(&service_states, &service) : 0;

	return state && (state->flags & LIMPET_STATE_ONE_PACKET) &&
	       template_expiry(word) + LIMPET_SECONDS_TO_TICKS(DROP_IDLE_SECONDS) >
		       now + LIMPET_SECONDS_TO_TICKS(t->timeout);
}

static __always_inline void end_template_early(const struct limpet_template4_key *key, __u64 now, enum early_end why)
{
	struct limpet_template *t = bpf_map_lookup_elem(&templates4, key);
	__u64 word;

	if (!t)
		return;
	word = *(volatile __u64 *)&t->word;
	if (template_may_end(word, why) &&
	    (why == END_DROPPED ? !template_is_in_use(t, word, now) : is_unavailable(t->destination)))
		template_end(t, word, now);
}

/* A flow's template, once it controls none any more. */
static __always_inline void end_template_of(const struct limpet_flow4_key *key, const struct limpet_flow *flow,
					    __u64 now, enum early_end why)
{
	struct template_held held;

	if (flow->template_kind == LIMPET_TEMPLATE_NONE)
		return;
	held = template_of(key, flow);
	if (held.entry && template_may_end(held.word, why))
		template_end(held.entry, held.word, now);
}

static __always_inline void end_flow_early(const struct limpet_flow4_key *key, __u64 now, enum early_end why)
{
	struct limpet_flow *f = bpf_map_lookup_elem(&flows4, key);
	struct limpet_flow copy;
	__u64 word;

	if (!f)
		return;
	word = *(volatile __u64 *)&f->word;
	if (!flow_is_alive(word, now) ||
	    !(why == END_DROPPED ? may_be_dropped(key, word, now) : is_unavailable(f->destination)))
		return;
	copy = *f;
	if (flow_end(key, f, word, now))
		end_template_of(key, &copy, now, why);
}

static __always_inline void sweep_template(const struct limpet_template4_key *key, __u64 now)
{
	struct limpet_template *t = bpf_map_lookup_elem(&templates4, key);
	__u64 word, life;

	if (!t)
		return;
	word = *(volatile __u64 *)&t->word;
	life = word & LIMPET_LIFE_MASK;
	if (life == LIMPET_LIFE_ALIVE && !template_is_alive(word, now)) {
		template_end(t, word, now);
	} else if (life == LIMPET_LIFE_DEAD && now - template_expiry(word) > GRACE_TICKS) {
		if (__sync_bool_compare_and_swap(&t->word, word, word | LIMPET_LIFE_DELETING))
			bpf_map_delete_elem(&templates4, key);
	}
}

struct sweep_walk {
	struct limpet_sweep *request;
	__u64 now;
};

static long sweep_step(__u32 index, void *argument)
{
	struct sweep_walk *w = argument;
	union {
		struct limpet_flow4_key flow;
		struct limpet_template4_key tmpl;
	} key;

	if (index >= LIMPET_SWEEP_KEYS)
		return 1;
	__builtin_memcpy(&key, w->request->keys[index], sizeof(key));
	switch (w->request->table) {
	case LIMPET_SWEEP_FLOWS4:
		sweep_flow(&key.flow, w->now);
		break;
	case LIMPET_SWEEP_TEMPLATES4:
		sweep_template(&key.tmpl, w->now);
		break;
	case LIMPET_EXPIRE_FLOWS4:
		end_flow_early(&key.flow, w->now, END_REMOVED);
		break;
	case LIMPET_EXPIRE_TEMPLATES4:
		end_template_early(&key.tmpl, w->now, END_REMOVED);
		break;
	case LIMPET_DROP_FLOWS4:
		end_flow_early(&key.flow, w->now, END_DROPPED);
		break;
	case LIMPET_DROP_TEMPLATES4:
		end_template_early(&key.tmpl, w->now, END_DROPPED);
		break;
	}
	return 0;
}

#endif
