// SPDX-License-Identifier: Apache-2.0
// Follows the registers of an nf_tables rule just far enough to know its interfaces, its verdict, and whether anything
// else restricts it.
#include "network/firewall_nft_rule.h"

#include <cstdio>  // libnftnl's headers want FILE

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

namespace limpet::network {
namespace {

std::uint32_t number(const nftnl_expr* expression, std::uint16_t attribute) {
  return nftnl_expr_get_u32(expression, attribute);
}

std::string text(const nftnl_expr* expression, std::uint16_t attribute) {
  const char* value = nftnl_expr_get_str(expression, attribute);
  return value != nullptr ? value : "";
}

std::string bytes(const nftnl_expr* expression, std::uint16_t attribute) {
  std::uint32_t size = 0;
  const void* data = nftnl_expr_get(expression, attribute, &size);
  return data != nullptr ? std::string(static_cast<const char*>(data), size) : std::string();
}

/// A 32-bit value in host order, as interface indexes are compared; 0 if `data` is shorter.
std::uint32_t host_number(const std::string& data) {
  std::uint32_t value = 0;
  if (data.size() >= sizeof(value)) std::memcpy(&value, data.data(), sizeof(value));
  return value;
}

/// An interface's name as a set's key: padded with NULs.
std::string name_key(const std::string& name) {
  std::string key = name;
  key.resize(IFNAMSIZ, '\0');
  return key;
}

std::string index_key(const std::string& name) {
  const std::uint32_t index = if_nametoindex(name.c_str());
  std::string key(sizeof(index), '\0');
  std::memcpy(key.data(), &index, sizeof(index));
  return key;
}

}  // namespace

RuleVerdict nft_verdict(std::uint32_t code) {
  switch (static_cast<int>(code)) {
    case NFT_JUMP:
      return RuleVerdict::kJump;
    case NFT_GOTO:
      return RuleVerdict::kGoto;
    case NFT_RETURN:
      return RuleVerdict::kReturn;
    case NFT_BREAK:
    case NFT_CONTINUE:
      return RuleVerdict::kNone;
    default:
      break;
  }
  switch (code & NF_VERDICT_MASK) {
    case NF_DROP:
      return RuleVerdict::kDrop;
    case NF_ACCEPT:
    case NF_QUEUE:
      return RuleVerdict::kAccept;
    default:
      return RuleVerdict::kNone;
  }
}

void NftRuleReader::read(nftnl_rule* rule, std::vector<FirewallRule>& out) {
  registers_.clear();
  rule_ = {};
  out_ = &out;
  const std::unique_ptr<nftnl_expr_iter, decltype(&nftnl_expr_iter_destroy)> expressions(nftnl_expr_iter_create(rule),
                                                                                         &nftnl_expr_iter_destroy);
  if (!expressions) return;
  while (nftnl_expr* expression = nftnl_expr_iter_next(expressions.get())) read_expression(expression);
  if (rule_.verdict != RuleVerdict::kNone) out.push_back(rule_);
}

void NftRuleReader::read_expression(nftnl_expr* expression) {
  const std::string name = text(expression, NFTNL_EXPR_NAME);
  using Method = void (NftRuleReader::*)(nftnl_expr*);
  static const std::map<std::string, Method> methods{
      {"meta", &NftRuleReader::read_meta},       {"ct", &NftRuleReader::read_connection},
      {"payload", &NftRuleReader::read_payload}, {"bitwise", &NftRuleReader::read_bitwise},
      {"cmp", &NftRuleReader::read_compare},     {"range", &NftRuleReader::read_range},
      {"lookup", &NftRuleReader::read_lookup},   {"immediate", &NftRuleReader::read_immediate},
  };
  if (const auto method = methods.find(name); method != methods.end()) {
    (this->*method->second)(expression);
  } else if (name == "match") {
    add_extension_match(rule_, text(expression, NFTNL_EXPR_MT_NAME));
  } else if (name == "target") {
    rule_.verdict = extension_verdict(text(expression, NFTNL_EXPR_TG_NAME));
  } else if (name == "reject") {
    rule_.verdict = RuleVerdict::kDrop;
  } else if (name == "queue") {
    rule_.verdict = RuleVerdict::kAccept;
  } else if (name == "masq") {
    rule_.verdict = RuleVerdict::kRewriteSource;
  } else if (name == "nat") {
    if (number(expression, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_SNAT) rule_.verdict = RuleVerdict::kRewriteSource;
  } else if (name != "counter" && name != "log" && name != "last" && name != "notrack") {
    rule_.unclear = true;  // limits, quotas, and whatever is invented later
  }
}

void NftRuleReader::read_meta(nftnl_expr* expression) {
  if (!nftnl_expr_is_set(expression, NFTNL_EXPR_META_DREG)) return;  // sets something: no condition
  Loaded loaded = Loaded::kOther;
  switch (number(expression, NFTNL_EXPR_META_KEY)) {
    case NFT_META_IIFNAME:
      loaded = Loaded::kInputName;
      break;
    case NFT_META_OIFNAME:
      loaded = Loaded::kOutputName;
      break;
    case NFT_META_IIF:
      loaded = Loaded::kInputIndex;
      break;
    case NFT_META_OIF:
      loaded = Loaded::kOutputIndex;
      break;
    case NFT_META_NFPROTO:
      loaded = Loaded::kFamily;
      break;
    case NFT_META_PROTOCOL:
      loaded = Loaded::kEtherType;
      break;
    case NFT_META_L4PROTO:
    case NFT_META_MARK:
      loaded = Loaded::kNarrowing;
      break;
    default:
      break;
  }
  registers_[number(expression, NFTNL_EXPR_META_DREG)] = loaded;
}

void NftRuleReader::read_connection(nftnl_expr* expression) {
  if (!nftnl_expr_is_set(expression, NFTNL_EXPR_CT_DREG)) return;
  const std::uint32_t key = number(expression, NFTNL_EXPR_CT_KEY);
  const bool narrowing = key == NFT_CT_STATE || key == NFT_CT_MARK || key == NFT_CT_DIRECTION;
  registers_[number(expression, NFTNL_EXPR_CT_DREG)] = narrowing ? Loaded::kNarrowing : Loaded::kOther;
}

void NftRuleReader::read_payload(nftnl_expr* expression) {
  if (!nftnl_expr_is_set(expression, NFTNL_EXPR_PAYLOAD_DREG)) return;
  const std::uint32_t base = number(expression, NFTNL_EXPR_PAYLOAD_BASE);
  const bool protocol = base == NFT_PAYLOAD_NETWORK_HEADER &&
                        number(expression, NFTNL_EXPR_PAYLOAD_OFFSET) == offsetof(iphdr, protocol) &&
                        number(expression, NFTNL_EXPR_PAYLOAD_LEN) == sizeof(iphdr::protocol);
  const bool narrowing = protocol || base == NFT_PAYLOAD_TRANSPORT_HEADER;
  registers_[number(expression, NFTNL_EXPR_PAYLOAD_DREG)] = narrowing ? Loaded::kNarrowing : Loaded::kOther;
}

void NftRuleReader::read_bitwise(nftnl_expr* expression) {
  // A masked mark is still a mark; a masked interface name is nothing that anyone writes.
  const bool narrowing = loaded(number(expression, NFTNL_EXPR_BITWISE_SREG)) == Loaded::kNarrowing;
  registers_[number(expression, NFTNL_EXPR_BITWISE_DREG)] = narrowing ? Loaded::kNarrowing : Loaded::kOther;
}

void NftRuleReader::read_compare(nftnl_expr* expression) {
  const Loaded left = loaded(number(expression, NFTNL_EXPR_CMP_SREG));
  const std::uint32_t operation = number(expression, NFTNL_EXPR_CMP_OP);
  const std::string data = bytes(expression, NFTNL_EXPR_CMP_DATA);
  const bool equality = operation == NFT_CMP_EQ || operation == NFT_CMP_NEQ;
  const bool negated = operation == NFT_CMP_NEQ;
  if (!equality || data.empty()) {
    add_unknown_condition(left);
  } else if (left == Loaded::kFamily) {
    if ((data[0] == NFPROTO_IPV4) == negated) rule_.unclear = true;
  } else if (left == Loaded::kEtherType) {
    constexpr std::array<char, 2> kIp{ETH_P_IP >> 8, ETH_P_IP & 0xff};
    if (data.starts_with(std::string_view(kIp.data(), kIp.size())) == negated) rule_.unclear = true;
  } else {
    add_interface_compare(left, data, negated);
  }
}

void NftRuleReader::add_interface_compare(Loaded loaded, const std::string& data, bool negated) {
  if (loaded == Loaded::kInputName || loaded == Loaded::kOutputName) {
    // With its NUL it is a whole name; `eth*` compares the first bytes only.
    const bool prefix = data.find('\0') == std::string::npos && data.size() < IFNAMSIZ;
    rule_.interfaces.push_back({loaded == Loaded::kOutputName, negated, {{data.c_str(), prefix}}});
  } else if (loaded == Loaded::kInputIndex || loaded == Loaded::kOutputIndex) {
    std::array<char, IF_NAMESIZE> name{};
    InterfaceMatch match{loaded == Loaded::kOutputIndex, negated, {}};
    if (if_indextoname(host_number(data), name.data()) != nullptr) match.any_of.push_back({name.data(), false});
    rule_.interfaces.push_back(match);
  } else {
    add_unknown_condition(loaded);
  }
}

void NftRuleReader::read_range(nftnl_expr* expression) {
  add_unknown_condition(loaded(number(expression, NFTNL_EXPR_RANGE_SREG)));
}

void NftRuleReader::read_lookup(nftnl_expr* expression) {
  const Loaded key = loaded(number(expression, NFTNL_EXPR_LOOKUP_SREG));
  const bool map = nftnl_expr_is_set(expression, NFTNL_EXPR_LOOKUP_DREG);
  const bool verdict_map = map && number(expression, NFTNL_EXPR_LOOKUP_DREG) == NFT_REG_VERDICT;
  const bool interface = key == Loaded::kInputName || key == Loaded::kOutputName || key == Loaded::kInputIndex ||
                         key == Loaded::kOutputIndex;
  if (interface && map == verdict_map) {
    read_interface_set(expression, key, text(expression, NFTNL_EXPR_LOOKUP_SET), verdict_map);
  } else if (map) {
    // Without the element there is no telling what comes out of it.
    if (!verdict_map) registers_[number(expression, NFTNL_EXPR_LOOKUP_DREG)] = Loaded::kOther;
    rule_.unclear = true;
  } else {
    add_unknown_condition(key);
  }
}

void NftRuleReader::read_interface_set(nftnl_expr* expression, Loaded loaded, const std::string& set,
                                       bool verdict_map) {
  const bool output = loaded == Loaded::kOutputName || loaded == Loaded::kOutputIndex;
  const bool by_name = loaded == Loaded::kInputName || loaded == Loaded::kOutputName;
  InterfaceMatch match{output, false, {}};
  for (const std::string& name : output ? device_ : ingress_) {
    const NftElement element = elements_(set, by_name ? name_key(name) : index_key(name));
    if (element.presence == NftElement::Presence::kUnknown) rule_.unclear = true;
    if (element.presence != NftElement::Presence::kPresent) continue;
    match.any_of.push_back({name, false});
    if (verdict_map && element.verdict != RuleVerdict::kNone) {
      FirewallRule rule = rule_;
      rule.interfaces.push_back({output, false, {{name, false}}});
      rule.verdict = element.verdict;
      rule.chain = element.chain;
      out_->push_back(rule);
    }
  }
  if (verdict_map) return;
  match.negated = (number(expression, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) != 0;
  rule_.interfaces.push_back(match);
}

void NftRuleReader::read_immediate(nftnl_expr* expression) {
  const std::uint32_t destination = number(expression, NFTNL_EXPR_IMM_DREG);
  if (destination != NFT_REG_VERDICT) {
    registers_[destination] = Loaded::kOther;
    return;
  }
  rule_.verdict = nft_verdict(number(expression, NFTNL_EXPR_IMM_VERDICT));
  rule_.chain = text(expression, NFTNL_EXPR_IMM_CHAIN);
}

NftRuleReader::Loaded NftRuleReader::loaded(std::uint32_t register_number) const {
  const auto found = registers_.find(register_number);
  return found != registers_.end() ? found->second : Loaded::kOther;
}

void NftRuleReader::add_unknown_condition(Loaded loaded) {
  if (loaded == Loaded::kNarrowing) {
    rule_.narrowed = true;
  } else {
    rule_.unclear = true;
  }
}

}  // namespace limpet::network
