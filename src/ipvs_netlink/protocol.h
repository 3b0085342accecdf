// SPDX-License-Identifier: Apache-2.0
// What the server and the preloaded library (preload/) agree on beside the kernel's own protocol. Plain C: the library
// includes it.
#pragma once

// In the run directory, of type SOCK_SEQPACKET: a record is a datagram of generic netlink, as it would go to or come
// from the kernel.
#define LIMPET_IPVS_SOCKET "ipvs.sock"

// The number of the family "IPVS". The kernel's own end at 1023 (GENL_MAX_ID), so no family of this host has it, and a
// message that carries it is always meant for limpetd.
#define LIMPET_IPVS_FAMILY 0x4956

// Asks for a file of /proc/net: the payload is its name, "ip_vs_conn" say. The answer is NLMSG_ERROR; with error 0 the
// read end of a pipe comes with it (SCM_RIGHTS).
#define LIMPET_IPVS_OPEN 0x4957

// Of a message that the library sends to the kernel, which has no such family and sends it back whole (NLMSG_ERROR,
// ENOENT): what is behind its header is an answer of limpetd's, and so comes into the queue of a netlink socket.
#define LIMPET_IPVS_ECHO 0x4958
