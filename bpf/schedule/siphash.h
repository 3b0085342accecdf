/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SipHash, step by step. */
#ifndef LIMPET_SCHEDULE_SIPHASH_H
#define LIMPET_SCHEDULE_SIPHASH_H

#include "../packet.h"

struct siphash {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotated(__u64 word, int bits) { return word << bits | word >> (64 - bits); }

static __always_inline struct siphash siphash_begin(__u64 key0, __u64 key1)
{
	return (struct siphash){ key0 ^ 0x736f6d6570736575ULL, key1 ^ 0x646f72616e646f6dULL,
				 key0 ^ 0x6c7967656e657261ULL, key1 ^ 0x7465646279746573ULL };
}

static __always_inline void siphash_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v1 = rotated(s->v1, 13) ^ s->v0;
	s->v0 = rotated(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotated(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotated(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotated(s->v1, 17) ^ s->v2;
	s->v2 = rotated(s->v2, 32);
}

/* SipHash-1-3: one round a word, three at the end. */
static __always_inline void siphash13_add(struct siphash *s, __u64 word)
{
	s->v3 ^= word;
	siphash_round(s);
	s->v0 ^= word;
}

static __always_inline __u64 siphash13_end(struct siphash *s)
{
	s->v2 ^= 0xff;
	siphash_round(s);
	siphash_round(s);
	siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif
