/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the bench runs around a door: a driver that writes a fresh packet and tail-calls whatever is under test (the
 * kernel's BPF_PROG_TEST_RUN does not put a packet back between repeats), and the floors to compare a door with. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct bench_traffic);
} traffic SEC(".maps");

/* One for each kind of program: a program array takes one kind only. */
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} under_test_xdp SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} under_test_tc SEC(".maps");

/* The floors' table: key and value of the size of a flow's, made like the flow table. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, BENCH_FLOWS);
  __type(key, struct limpet_flow4_key);
  __type(value, struct limpet_flow);
} floor_flows SEC(".maps");

static __always_inline void address_replace(struct iphdr* ip, __be32* field, __be32 to) {
  __u32 sum = (__u16)~ip->check;

  sum += (__u16) ~*field + (__u16) ~(*field >> 16) + (__u16)to + (__u16)(to >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  ip->check = ~sum;
  *field = to;
}

/* The next packet: the template's bytes, and the client whose turn it is. */
static __always_inline int write_packet(void* data, void* end) {
  __u32 zero = 0;
  struct bench_traffic* t = bpf_map_lookup_elem(&traffic, &zero);
  struct iphdr* ip = data + ETH_HLEN;
  __u16* ports = data + ETH_HLEN + sizeof(*ip);
  __u32 client, address;
  __u16 port;

  if (!t || data + BENCH_FRAME > end) return 0;
  __builtin_memcpy(data, t->frame, BENCH_FRAME);
  client = t->turn * t->stride & t->client_mask;
  t->turn++;
  address = bpf_htonl(t->first_address + (client >> t->port_bits));
  port = bpf_htons(0x8000 | (client & ((1U << t->port_bits) - 1)));
  if (t->reply) {
    address_replace(ip, &ip->daddr, address);
    ports[1] = port;
  } else {
    address_replace(ip, &ip->saddr, address);
    ports[0] = port;
  }
  return 1;
}

SEC("xdp.frags")
int bench_xdp(struct xdp_md* xdp) {
  if (write_packet((void*)(long)xdp->data, (void*)(long)xdp->data_end)) bpf_tail_call(xdp, &under_test_xdp, 0);
  return XDP_ABORTED;
}

SEC("tc")
int bench_tc(struct __sk_buff* skb) {
  if (write_packet((void*)(long)skb->data, (void*)(long)skb->data_end)) bpf_tail_call(skb, &under_test_tc, 0);
  return 2; /* TC_ACT_SHOT */
}

/* The least that a balancer must read to know a connection. */
static __always_inline int floor_parse(struct limpet_flow4_key* key, void* data, void* end) {
  struct ethhdr* ethernet = data;
  struct iphdr* ip = data + ETH_HLEN;
  struct udphdr* ports = data + ETH_HLEN + sizeof(*ip);

  if ((void*)(ports + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP) || ip->version != 4 || ip->ihl != 5 ||
      (ip->frag_off & bpf_htons(0x3fff)) || (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP))
    return 0;
  key->client_address = ip->saddr;
  key->virtual_address = ip->daddr;
  key->client_port = ports->source;
  key->virtual_port = ports->dest;
  key->protocol = ip->protocol;
  key->family = LIMPET_IPV4;
  key->zero = 0;
  return 1;
}

static __always_inline int floor_hit(void* data, void* end) {
  struct limpet_flow4_key key;

  return floor_parse(&key, data, end) && bpf_map_lookup_elem(&floor_flows, &key);
}

static __always_inline int floor_insert(void* data, void* end) {
  struct limpet_flow4_key key;
  struct limpet_flow fresh = {};

  if (!floor_parse(&key, data, end) || bpf_map_lookup_elem(&floor_flows, &key)) return 0;
  fresh.word = 1;
  return !bpf_map_update_elem(&floor_flows, &key, &fresh, BPF_NOEXIST);
}

SEC("xdp.frags")
int floor_tx_xdp(struct xdp_md* xdp) { return XDP_TX; }

SEC("xdp.frags")
int floor_hit_xdp(struct xdp_md* xdp) {
  return floor_hit((void*)(long)xdp->data, (void*)(long)xdp->data_end) ? XDP_TX : XDP_ABORTED;
}

SEC("xdp.frags")
int floor_insert_xdp(struct xdp_md* xdp) {
  return floor_insert((void*)(long)xdp->data, (void*)(long)xdp->data_end) ? XDP_TX : XDP_ABORTED;
}

SEC("tc")
int floor_tx_tc(struct __sk_buff* skb) { return bpf_redirect(skb->ifindex, 0); }

SEC("tc")
int floor_hit_tc(struct __sk_buff* skb) {
  if (!floor_hit((void*)(long)skb->data, (void*)(long)skb->data_end)) return 2;
  return bpf_redirect(skb->ifindex, 0);
}

SEC("tc")
int floor_insert_tc(struct __sk_buff* skb) {
  if (!floor_insert((void*)(long)skb->data, (void*)(long)skb->data_end)) return 2;
  return bpf_redirect(skb->ifindex, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
