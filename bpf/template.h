/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Persistence templates: which server a client network sticks to. The word holds expiry and the number of flows that
 * the template controls; a template lives on while it controls any (ip_vs_conn.c, ip_vs_conn_expire()). */
#ifndef LIMPET_TEMPLATE_H
#define LIMPET_TEMPLATE_H

#include "counters.h"
#include "maps.h"
#include "packet.h"

#define TEMPLATE_TRIES 4
#define USE_TRIES 64     /* some microseconds: longer than another CPU needs to make a template */
#define RELEASE_TRIES 32 /* a release that is lost would keep a template for ever */

static __always_inline __u64 template_expiry(__u64 word) { return word >> LIMPET_TEMPLATE_EXPIRY_SHIFT; }

static __always_inline __u32 template_count(__u64 word)
{
	return (word >> LIMPET_TEMPLATE_COUNT_SHIFT) & LIMPET_TEMPLATE_COUNT_MASK;
}

static __always_inline __u64 template_word(__u64 expiry, __u32 count, __u64 flags)
{
	return expiry << LIMPET_TEMPLATE_EXPIRY_SHIFT | (__u64)count << LIMPET_TEMPLATE_COUNT_SHIFT | flags;
}

static __always_inline __u64 template_flags(__u64 word)
{
	return word & (LIMPET_TEMPLATE_ASSURED | LIMPET_TEMPLATE_EXTENDED);
}

static __always_inline int template_is_alive(__u64 word, __u64 now)
{
	return (word & LIMPET_LIFE_MASK) == LIMPET_LIFE_ALIVE && (template_expiry(word) > now || template_count(word));
}

/* The key of the template that controls flows like `flow`. */
static __always_inline void template_key(struct limpet_template4_key *key, const struct limpet_flow4_key *flow,
					 __u32 kind, __u32 mark, __u32 mask)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->client_network = flow->client_address & mask;
	key->family = flow->family;
	if (kind == LIMPET_TEMPLATE_MARK) {
		key->virtual_address = bpf_htonl(mark);
		return;
	}
	key->protocol = flow->protocol;
	key->virtual_address = flow->virtual_address;
	if (kind == LIMPET_TEMPLATE_PORT)
		key->virtual_port = flow->virtual_port;
}

/* The word of the template that controls a flow, known by its serial: under its own key, or under that of templates
 * given up. The word is read before the serial, so that a compare-and-exchange on it finds out if another template has
 * taken the element since. */
struct template_held {
	struct limpet_template *entry; /* null: it is gone */
	__u64 word;
};

static __always_inline struct template_held template_of(const struct limpet_flow4_key *key,
							const struct limpet_flow *flow)
{
	struct limpet_template4_key tkey;
	struct template_held held = {};
	struct limpet_template *t;

	template_key(&tkey, key, flow->template_kind, flow->mark, flow->template_mask);
	for (int given_up = 0; given_up < 2; given_up++) {
		t = bpf_map_lookup_elem(&templates4, &tkey);
		if (t) {
			held.word = *(volatile __u64 *)&t->word;
			if (*(volatile __u32 *)&t->serial == flow->template_serial) {
				held.entry = t;
				return held;
			}
		}
		tkey.virtual_port = LIMPET_INVALID_PORT;
	}
	return held;
}

/* A flow that began to look real (ip_vs_control_assure_ct()). */
GLOBAL int template_assure(const struct limpet_flow4_key *key, const struct limpet_flow *flow)
{
	struct template_held held;

	if (!key || !flow)
		return 0;
	for (int i = 0; i < TEMPLATE_TRIES; i++) {
		held = template_of(key, flow);
		if (!held.entry || (held.word & LIMPET_LIFE_MASK) != LIMPET_LIFE_ALIVE ||
		    (held.word & LIMPET_TEMPLATE_ASSURED))
			return 0;
		if (__sync_bool_compare_and_swap(&held.entry->word, held.word, held.word | LIMPET_TEMPLATE_ASSURED))
			return 0;
	}
	return 0;
}

/* What the word becomes when one of its flows has ended at `ended`. */
static __always_inline __u64 template_released(__u64 word, __u64 ended)
{
	const __u64 extension = LIMPET_SECONDS_TO_TICKS(LIMPET_TEMPLATE_EXTENSION_SECONDS);
	__u64 expiry = template_expiry(word);
	__u64 flags = template_flags(word);

	/* One that ends in the same moment goes with its last flow, as the kernel's does: of two timers for one time the
	 * one armed last, the flow's, runs first. */
	if (expiry < ended) {
		expiry += ((ended - expiry - 1) / extension + 1) * extension;
		flags |= LIMPET_TEMPLATE_EXTENDED;
	}
	return template_word(expiry, template_count(word) - 1, flags);
}

struct release {
	const struct limpet_flow4_key *key;
	const struct limpet_flow *flow;
	__u64 ended;
};

/* One try; 1: done. */
static long release_step(__u32 index, void *argument)
{
	struct release *r = argument;
	struct template_held held = template_of(r->key, r->flow);

	if (!held.entry)
		return 1;
	if ((held.word & LIMPET_LIFE_MASK) == LIMPET_LIFE_BUSY)
		return 0; /* being given up: it will be found under the other key */
	if ((held.word & LIMPET_LIFE_MASK) != LIMPET_LIFE_ALIVE || !template_count(held.word))
		return 1;
	return __sync_bool_compare_and_swap(&held.entry->word, held.word, template_released(held.word, r->ended));
}

/* A flow ended at `ended` (ticks). If the template's own time had passed while the flow lived, the kernel's timer
 * would have prolonged it by 60 s, as often as needed: so it is here, however late the sweeper comes. (A loop of the
 * language would do, but Linux 6.1 takes a loop that is entered by falling through for a back edge.) */
GLOBAL int template_release(const struct limpet_flow4_key *key, const struct limpet_flow *flow, __u64 ended)
{
	struct release r = { .key = key, .flow = flow, .ended = ended };

	if (key && flow)
		bpf_loop(RELEASE_TRIES, release_step, &r, 0);
	return 0;
}

enum template_found {
	TEMPLATE_ABSENT,
	TEMPLATE_USED,  /* `binding` holds its destination; one more flow is controlled, the time re-armed */
	TEMPLATE_STALE, /* expired, dead or given up: the entry is held BUSY for template_make() or template_abandon()
			 */
	TEMPLATE_BUSY   /* another CPU is at it, or the sweeper: try again */
};

struct template_binding {
	struct limpet_template4_key key;
	__u32 claimed; /* its entry is held BUSY by us */
	__u32 destination;
	__u32 serial;
	__u32 found; /* enum template_found, of the last try */
};

/* ip_vs_check_template(): a removed server's templates are given up, a quiesced one's only if so configured. */
static __always_inline int template_destination_serves(const struct limpet_config *c, __u32 destination)
{
	struct limpet_destination *d = bpf_map_lookup_elem(&destinations, &destination);

	return d && (d->flags & LIMPET_DESTINATION_AVAILABLE) && (d->weight || !c->expire_quiescent_template);
}

/* Moves a template that is given up to port 65535, where the flows it controls still find it. The caller holds it
 * BUSY; `word` is what it was. An older one under that key ends here (the kernel would list both). */
static __always_inline void template_give_up(const struct limpet_template4_key *key, struct limpet_template *t,
					     __u64 word)
{
	struct limpet_template4_key given_up = *key;
	struct limpet_template copy = *t;
	struct limpet_template *older;
	__u64 before;

	/* A service on that very port has no other place to move it to: it ends here. */
	if (key->virtual_port == LIMPET_INVALID_PORT) {
		count_template(copy.destination, -1);
		return;
	}
	given_up.virtual_port = LIMPET_INVALID_PORT;
	copy.word = word;
	older = bpf_map_lookup_elem(&templates4, &given_up);
	before = older ? *(volatile __u64 *)&older->word : 0;
	if (!older) {
		if (bpf_map_update_elem(&templates4, &given_up, &copy, BPF_NOEXIST))
			count_template(copy.destination, -1); /* no room: it ends here */
	} else if (((before & LIMPET_LIFE_MASK) == LIMPET_LIFE_ALIVE ||
		    (before & LIMPET_LIFE_MASK) == LIMPET_LIFE_DEAD) &&
		   __sync_bool_compare_and_swap(&older->word, before, LIMPET_LIFE_BUSY)) {
		if ((before & LIMPET_LIFE_MASK) == LIMPET_LIFE_ALIVE)
			count_template(older->destination, -1);
		older->destination = copy.destination;
		older->serial = copy.serial;
		older->timeout = copy.timeout;
		older->mask = copy.mask;
		__sync_lock_test_and_set(&older->word, word);
	} else {
		count_template(copy.destination, -1); /* somebody else is at that one this very moment */
	}
	/* Its flows look for it there from now on. */
	*(volatile __u32 *)&t->serial = 0;
}

/* One try, with the word as it is now: TEMPLATE_USED; TEMPLATE_STALE, nothing done yet; TEMPLATE_BUSY: try again;
 * TEMPLATE_ABSENT: it has ended. */
static __always_inline int template_try(struct template_binding *b, struct limpet_template *t, __u64 word, __u64 now,
					const struct limpet_config *c)
{
	__u64 flags, expiry;

	b->destination = *(volatile __u32 *)&t->destination;
	if ((word & LIMPET_LIFE_MASK) == LIMPET_LIFE_DELETING)
		return TEMPLATE_ABSENT;
	if ((word & LIMPET_LIFE_MASK) == LIMPET_LIFE_BUSY)
		return TEMPLATE_BUSY;
	if (!template_is_alive(word, now) || !template_destination_serves(c, b->destination))
		return TEMPLATE_STALE;
	flags = template_flags(word);
	if (template_expiry(word) <= now)
		flags |= LIMPET_TEMPLATE_EXTENDED;
	expiry = now + LIMPET_SECONDS_TO_TICKS(flags & LIMPET_TEMPLATE_EXTENDED ? LIMPET_TEMPLATE_EXTENSION_SECONDS
										: t->timeout);
	b->serial = t->serial;
	if (__sync_bool_compare_and_swap(&t->word, word, template_word(expiry, template_count(word) + 1, flags)))
		return TEMPLATE_USED;
	return TEMPLATE_BUSY;
}

struct template_tries {
	struct template_binding *binding;
	__u64 now;
};

static long template_try_step(__u32 index, void *argument)
{
	struct template_tries *tries = argument;
	struct limpet_template4_key key = tries->binding->key;
	struct limpet_template *t = bpf_map_lookup_elem(&templates4, &key);
	struct limpet_config *c = config_get();
	int found = TEMPLATE_ABSENT;

	if (t && c)
		found = template_try(tries->binding, t, *(volatile __u64 *)&t->word, tries->now, c);
	/* In memory that the verifier knows nothing of: see counted.h. */
	tries->binding->found = found;
	return found != TEMPLATE_BUSY;
}

/* Takes hold of what is stale by `word`, and gives it up if it is alive. */
static __always_inline int template_claim(struct template_binding *b, struct limpet_template *t, __u64 word, __u64 now)
{
	struct limpet_template4_key key = b->key;

	b->serial = 0;
	if (!__sync_bool_compare_and_swap(&t->word, word, (word & ~LIMPET_LIFE_MASK) | LIMPET_LIFE_BUSY))
		return TEMPLATE_BUSY;
	if (template_is_alive(word, now))
		template_give_up(&key, t, word);
	else if ((word & LIMPET_LIFE_MASK) == LIMPET_LIFE_ALIVE)
		count_template(t->destination, -1);
	b->claimed = 1;
	return TEMPLATE_STALE;
}

/* On TEMPLATE_BUSY, `b` holds the destination that was seen; 0: none. */
GLOBAL int template_use(struct template_binding *b, __u64 now)
{
	struct template_tries tries = { .binding = b, .now = now };
	struct limpet_config *c = config_get();
	struct limpet_template4_key key;
	struct limpet_template *t;
	__u64 word;
	int found;

	if (!b || !c)
		return TEMPLATE_ABSENT;
	key = b->key;
	t = bpf_map_lookup_elem(&templates4, &key);
	if (!t)
		return TEMPLATE_ABSENT;
	word = *(volatile __u64 *)&t->word;
	found = template_try(b, t, word, now, c);
	if (found == TEMPLATE_STALE) {
		b->destination = 0; /* it leads nowhere */
		return template_claim(b, t, word, now);
	}
	if (found == TEMPLATE_BUSY) {
		/* Many connections of one network at once: each changes the word that the others compare. */
		bpf_loop(USE_TRIES, template_try_step, &tries, 0);
		found = b->found;
	}
	if (found == TEMPLATE_USED)
		return found;
	b->serial = 0; /* of a try: nothing is counted there */
	if (found != TEMPLATE_BUSY || !template_destination_serves(c, b->destination))
		b->destination = 0;
	return TEMPLATE_BUSY;
}

/* Makes the template for `destination`: in the claimed element, or as a new one. Returns 0, or the error of the
 * insertion: -EEXIST if another CPU was first, else no room. */
GLOBAL long template_make(struct template_binding *b, __u64 now, __u32 destination, __u32 timeout, __u32 mask)
{
	struct limpet_template fresh = {
		.word = template_word(now + LIMPET_SECONDS_TO_TICKS(timeout), 1, 0),
		.destination = destination,
		.serial = bpf_get_prandom_u32() | 1, /* 0 is nobody's */
		.timeout = timeout,
		.mask = mask,
	};
	struct limpet_template4_key key;
	struct limpet_template *t;
	long error = 0;

	if (!b)
		return -1;
	key = b->key;
	t = b->claimed ? bpf_map_lookup_elem(&templates4, &key) : 0;
	if (t) {
		t->destination = fresh.destination;
		t->serial = fresh.serial;
		t->timeout = fresh.timeout;
		t->mask = fresh.mask;
		/* A full barrier: the fields are there before the word says so. */
		__sync_lock_test_and_set(&t->word, fresh.word);
	} else {
		error = bpf_map_update_elem(&templates4, &key, &fresh, BPF_NOEXIST);
	}
	if (!error)
		count_template(destination, 1);
	b->claimed = 0;
	b->destination = destination;
	b->serial = fresh.serial;
	return error;
}

/* Lets go of a claimed element that is not to be used after all: dead, and its counts are settled. */
static __always_inline void template_abandon(struct template_binding *b, __u64 now)
{
	struct limpet_template *t = b->claimed ? bpf_map_lookup_elem(&templates4, &b->key) : 0;

	if (t)
		__sync_lock_test_and_set(&t->word, template_word(now, 0, LIMPET_LIFE_DEAD));
	b->claimed = 0;
}

#endif
