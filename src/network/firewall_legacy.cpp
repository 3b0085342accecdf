// SPDX-License-Identifier: Apache-2.0
// Reads iptables-legacy tables with getsockopt(IPT_SO_GET_ENTRIES): a blob of entries, one behind the other.
#include "network/firewall_legacy.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter_ipv4/ip_tables.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <span>

namespace limpet::network {
namespace {

using Bytes = std::span<const std::byte>;

class RawSocket {
 public:
  RawSocket() : fd_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) {}
  ~RawSocket() {
    if (fd_ >= 0) ::close(fd_);
  }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;
  bool get(int option, void* data, std::size_t size) const {
    auto length = static_cast<socklen_t>(size);
    return fd_ >= 0 && ::getsockopt(fd_, IPPROTO_IP, option, data, &length) == 0 && length == size;
  }

 private:
  int fd_;
};

/// Copies the struct at `offset`; false if the blob ends before it does. (Not an optional: some of the kernel's
/// structs end in a flexible array, which cannot be a member of anything.)
template <typename T>
bool read_at(Bytes blob, std::size_t offset, T& value) {
  if (offset > blob.size() || blob.size() - offset < sizeof(T)) return false;
  std::memcpy(&value, blob.data() + offset, sizeof(T));
  return true;
}

template <std::size_t N>
std::string name_in(const char (&field)[N]) {
  return {field, ::strnlen(field, N)};
}

std::string chain_at(std::size_t offset) { return std::to_string(offset); }

/// Appends a condition on an interface, if the entry has one. The mask has a byte of ones for each character that
/// counts, the final NUL included unless the name ended in `+`.
void add_interface(FirewallRule& rule, const char (&name)[IFNAMSIZ], const unsigned char (&mask)[IFNAMSIZ], bool output,
                   bool negated) {
  const auto significant =
      static_cast<std::size_t>(std::count_if(std::begin(mask), std::end(mask), [](unsigned char m) { return m != 0; }));
  if (significant == 0 && !negated) return;
  const std::string interface = name_in(name);
  rule.interfaces.push_back({output, negated, {{interface.substr(0, significant), significant <= interface.size()}}});
}

void add_conditions(FirewallRule& rule, const ipt_ip& ip) {
  add_interface(rule, ip.iniface, ip.iniface_mask, false, (ip.invflags & IPT_INV_VIA_IN) != 0);
  add_interface(rule, ip.outiface, ip.outiface_mask, true, (ip.invflags & IPT_INV_VIA_OUT) != 0);
  if (ip.proto != 0) rule.narrowed = true;
  const bool addresses = ip.smsk.s_addr != 0 || ip.dmsk.s_addr != 0;
  const int inverted = ip.invflags & (IPT_INV_SRCIP | IPT_INV_DSTIP | IPT_INV_FRAG);
  if (addresses || inverted != 0 || (ip.flags & IPT_F_FRAG) != 0) rule.unclear = true;
}

/// A standard target's number is a verdict, -N-1 for NF_ACCEPT and so on, or the offset to go on at.
void set_standard_verdict(FirewallRule& rule, int verdict, const ipt_ip& ip, std::size_t next_entry) {
  if (verdict == -NF_ACCEPT - 1 || verdict == -NF_QUEUE - 1) {
    rule.verdict = RuleVerdict::kAccept;
  } else if (verdict == XT_RETURN) {
    rule.verdict = RuleVerdict::kReturn;
  } else if (verdict < 0) {
    rule.verdict = RuleVerdict::kDrop;
  } else if (static_cast<std::size_t>(verdict) != next_entry) {  // else a rule without a target
    rule.verdict = (ip.flags & IPT_F_GOTO) != 0 ? RuleVerdict::kGoto : RuleVerdict::kJump;
    rule.chain = chain_at(static_cast<std::size_t>(verdict));
  }
}

struct Entry {
  FirewallRule rule;
  std::size_t next = 0;        // offset of the next entry
  bool heads_a_chain = false;  // the ERROR entry before a user chain's first rule, which carries its name
};

/// Notes the match extensions of the entry at `offset`, which fill the room between its head and its target.
bool add_matches(FirewallRule& rule, Bytes blob, std::size_t offset, std::size_t target_offset) {
  for (std::size_t at = sizeof(ipt_entry); at < target_offset;) {
    xt_entry_match match;
    if (!read_at(blob, offset + at, match) || match.u.match_size < sizeof(match)) return false;
    add_extension_match(rule, name_in(match.u.user.name));
    at += match.u.match_size;
  }
  return true;
}

std::optional<Entry> read_entry(Bytes blob, std::size_t offset) {
  ipt_entry head;
  xt_entry_target target;
  if (!read_at(blob, offset, head) || head.next_offset < sizeof(head)) return std::nullopt;
  if (!read_at(blob, offset + head.target_offset, target)) return std::nullopt;
  Entry entry;
  entry.next = offset + head.next_offset;
  add_conditions(entry.rule, head.ip);
  if (!add_matches(entry.rule, blob, offset, head.target_offset)) return std::nullopt;
  const std::string name = name_in(target.u.user.name);
  entry.heads_a_chain = name == XT_ERROR_TARGET;
  if (name.empty()) {
    int verdict = 0;
    if (!read_at(blob, offset + head.target_offset + offsetof(xt_standard_target, verdict), verdict)) {
      return std::nullopt;
    }
    set_standard_verdict(entry.rule, verdict, head.ip, entry.next);
  } else {
    entry.rule.verdict = extension_verdict(name);
  }
  return entry;
}

/// The table's blob behind the header that GET_ENTRIES wants; empty if the table changed in between.
std::vector<std::byte> read_blob(const RawSocket& socket, const ipt_getinfo& info) {
  ipt_get_entries request;
  std::memset(&request, 0, sizeof(request));
  std::memcpy(request.name, info.name, sizeof(request.name));
  request.size = info.size;
  std::vector<std::byte> buffer(sizeof(request) + info.size);
  std::memcpy(buffer.data(), &request, sizeof(request));
  if (!socket.get(IPT_SO_GET_ENTRIES, buffer.data(), buffer.size())) return {};
  buffer.erase(buffer.begin(), buffer.begin() + sizeof(request));
  return buffer;
}

/// Cuts the blob into chains. A built-in chain begins where the table says, a user chain behind its ERROR entry.
std::optional<LegacyChain> parse_blob(Bytes blob, const ipt_getinfo& info, unsigned hook) {
  LegacyChain result;
  result.base = chain_at(info.hook_entry[hook]);
  std::string chain;
  for (std::size_t offset = 0; offset < blob.size();) {
    auto entry = read_entry(blob, offset);
    if (!entry) return std::nullopt;
    for (unsigned h = 0; h < NF_INET_NUMHOOKS; ++h) {
      if ((info.valid_hooks & (1U << h)) != 0 && info.hook_entry[h] == offset) chain = chain_at(offset);
    }
    if (offset == info.underflow[hook]) {
      result.policy_drop = entry->rule.verdict == RuleVerdict::kDrop;
    } else if (entry->heads_a_chain) {
      chain = chain_at(entry->next);
    } else {
      result.chains[chain].push_back(std::move(entry->rule));
    }
    offset = entry->next;
  }
  return result;
}

}  // namespace

std::vector<std::string> legacy_tables() {
  std::ifstream file("/proc/thread-self/net/ip_tables_names");  // only there with the ip_tables module
  std::vector<std::string> tables;
  for (std::string line; std::getline(file, line);) tables.push_back(line);
  return tables;
}

std::optional<LegacyChain> read_legacy_chain(const std::string& table, unsigned hook) {
  const RawSocket socket;
  constexpr int kAttempts = 3;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    ipt_getinfo info{};
    table.copy(info.name, sizeof(info.name) - 1);
    if (!socket.get(IPT_SO_GET_INFO, &info, sizeof(info))) return std::nullopt;
    if (hook >= NF_INET_NUMHOOKS || (info.valid_hooks & (1U << hook)) == 0) return std::nullopt;
    const std::vector<std::byte> blob = read_blob(socket, info);
    if (!blob.empty()) return parse_blob(blob, info, hook);
  }
  return std::nullopt;
}

}  // namespace limpet::network
