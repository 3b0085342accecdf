// SPDX-License-Identifier: Apache-2.0
// Policy routing rules.
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "network/netlink.h"
#include "network/netlink_message.h"

namespace limpet::network {
namespace {

// Attributes that do not narrow what a rule matches, or that Rule holds.
bool is_understood(int attribute) {
  switch (attribute) {
    case FRA_PRIORITY:
    case FRA_TABLE:
    case FRA_PROTOCOL:
    case FRA_IIFNAME:
    case FRA_FWMARK:
    case FRA_FWMASK:
    case FRA_IP_PROTO:
    case FRA_GOTO:
    case FRA_SUPPRESS_PREFIXLEN:  // always listed; all ones: not used
      return true;
    default:
      return false;
  }
}

bool has_more_selectors(const fib_rule_hdr& header, const Attributes& attributes) {
  if (header.src_len != 0 || header.dst_len != 0 || header.tos != 0) return true;
  if ((header.flags & FIB_RULE_INVERT) != 0) return true;
  constexpr std::uint32_t kNotUsed = 0xffffffff;
  if (attributes.value<std::uint32_t>(FRA_SUPPRESS_PREFIXLEN).value_or(kNotUsed) != kNotUsed) return true;
  for (int attribute = 1; attribute <= Attributes::kHighest; ++attribute) {
    if (attributes.has(attribute) && !is_understood(attribute)) return true;
  }
  return false;
}

std::optional<Rule> rule_from(nlmsghdr* message) {
  const auto* header = header_of<fib_rule_hdr>(message);
  if (header == nullptr || message->nlmsg_type != RTM_NEWRULE) return std::nullopt;
  if (header->family != AF_INET && header->family != AF_INET6) return std::nullopt;
  const Attributes attributes(message, sizeof(fib_rule_hdr));
  Rule rule;
  rule.family = header->family == AF_INET ? Family::ipv4 : Family::ipv6;
  rule.priority = attributes.value<std::uint32_t>(FRA_PRIORITY).value_or(0);
  rule.action = header->action;
  rule.table = attributes.value<std::uint32_t>(FRA_TABLE).value_or(header->table);
  rule.target = attributes.value<std::uint32_t>(FRA_GOTO).value_or(0);
  rule.input_interface = attributes.text(FRA_IIFNAME);
  rule.mark = attributes.value<std::uint32_t>(FRA_FWMARK).value_or(0);
  rule.mask = attributes.value<std::uint32_t>(FRA_FWMASK).value_or(rule.mark != 0 ? 0xffffffff : 0);
  rule.ip_protocol = attributes.value<std::uint8_t>(FRA_IP_PROTO).value_or(0);
  rule.protocol = attributes.value<std::uint8_t>(FRA_PROTOCOL).value_or(0);
  rule.narrowed_otherwise = has_more_selectors(*header, attributes);
  rule.inverted = (header->flags & FIB_RULE_INVERT) != 0;
  return rule;
}

Message rule_message(int type, int flags, const Rule& rule) {
  fib_rule_hdr header{};
  header.family = static_cast<std::uint8_t>(rule.family);
  header.action = rule.action;
  header.table = RT_TABLE_UNSPEC;  // the number stands in FRA_TABLE: it may be above 255
  Message message(type, flags, header);
  message.put(FRA_PRIORITY, rule.priority);  // must be stated even when 0, else the kernel chooses
  if (rule.table != 0) message.put(FRA_TABLE, rule.table);
  if (rule.action == FR_ACT_GOTO) message.put(FRA_GOTO, rule.target);
  if (!rule.input_interface.empty()) message.put(FRA_IIFNAME, rule.input_interface);
  if (rule.mask != 0) message.put(FRA_FWMARK, rule.mark).put(FRA_FWMASK, rule.mask);
  if (rule.ip_protocol != 0) message.put(FRA_IP_PROTO, rule.ip_protocol);
  if (rule.protocol != 0) message.put(FRA_PROTOCOL, rule.protocol);
  return message;
}

}  // namespace

Result<std::vector<Rule>> Netlink::rules(Family family) {
  fib_rule_hdr header{};
  header.family = static_cast<std::uint8_t>(family);
  Message message(RTM_GETRULE, 0, header);
  const auto replies = dump(message, "listing the routing rules");
  if (!replies) return replies.error();
  std::vector<Rule> rules;
  for (nlmsghdr* reply : *replies) {
    if (auto rule = rule_from(reply)) rules.push_back(std::move(*rule));
  }
  return rules;
}

Result<void> Netlink::add_rule(const Rule& rule) {
  // Without NLM_F_EXCL: the second copy of the local rule is meant.
  Message message = rule_message(RTM_NEWRULE, NLM_F_CREATE, rule);
  return change(message, "adding the routing rule \"" + rule.to_string() + "\"");
}

Result<void> Netlink::delete_rule(const Rule& rule) {
  Message message = rule_message(RTM_DELRULE, 0, rule);
  return change(message, "deleting the routing rule \"" + rule.to_string() + "\"", {ENOENT});
}

}  // namespace limpet::network
