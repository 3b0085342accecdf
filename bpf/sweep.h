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
		/* Held while it is settled: a packet may come in between and revive the dead. */
		if (__sync_bool_compare_and_swap(&f->word, word, word | LIMPET_LIFE_BUSY)) {
			flow_settle(key, f, word, now);
			__sync_lock_test_and_set(&f->word, flow_word(now, flow_state(word), LIMPET_LIFE_DEAD));
		}
	} else if (life == LIMPET_LIFE_DEAD && now - flow_expiry(word) > GRACE_TICKS) {
		if (__sync_bool_compare_and_swap(&f->word, word, word | LIMPET_LIFE_DELETING))
			bpf_map_delete_elem(&flows4, key);
	}
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
		__u32 destination = t->destination;

		if (__sync_bool_compare_and_swap(&t->word, word, template_word(now, 0, LIMPET_LIFE_DEAD)))
			counts_add(destination, 0, 0, -1);
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
	if (w->request->table == LIMPET_SWEEP_FLOWS4)
		sweep_flow(&key.flow, w->now);
	else
		sweep_template(&key.tmpl, w->now);
	return 0;
}

#endif
