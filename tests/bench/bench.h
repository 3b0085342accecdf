/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bench.bpf.c and the bench agree on. */
#ifndef LIMPET_BENCH_H
#define LIMPET_BENCH_H

#include "bpf/abi.h"

#define BENCH_FRAME 60U /* the smallest Ethernet frame, without its checksum */
#define BENCH_FLOWS 1048576U

/* Packets of client_mask + 1 clients (a power of two) in the order of turn * stride, an odd number: each has its turn
 * before one comes again, and with a large stride neighbouring turns share no cache line. */
struct bench_traffic {
  __u8 frame[64];
  __u32 turn;
  __u32 stride;
  __u32 client_mask;
  __u32 port_bits;     /* of a client's number; the rest is added to the address. Ports are from 32768 on */
  __u32 first_address; /* host order */
  __u32 reply;         /* the client is the packet's destination */
};

#endif
