// SPDX-License-Identifier: Apache-2.0
// Lists base chains, and the rules of single chains, with libnftnl.
#include "network/firewall_nft.h"

#include <cstdio>  // libnftnl's headers want FILE

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace limpet::network {
namespace {

/// A dump is started anew when the ruleset changed meanwhile; after that many times the chain is left out.
constexpr int kAttempts = 3;

using TablePtr = std::unique_ptr<nftnl_table, decltype(&nftnl_table_free)>;
using ChainPtr = std::unique_ptr<nftnl_chain, decltype(&nftnl_chain_free)>;
using RulePtr = std::unique_ptr<nftnl_rule, decltype(&nftnl_rule_free)>;
using SetPtr = std::unique_ptr<nftnl_set, decltype(&nftnl_set_free)>;
using TableKey = std::pair<std::uint16_t, std::string>;

std::string text(const char* value) { return value != nullptr ? value : ""; }

bool concerns_us(std::uint32_t family) { return family == NFPROTO_IPV4 || family == NFPROTO_INET; }

/// Dumps objects into `items`, from scratch if the dump was interrupted. `parse` appends what a message holds.
template <typename Item, typename Parse>
bool dump(NftSocket& socket, std::uint16_t type, std::uint16_t family, const NftSocket::Build& build,
          std::vector<Item>& items, const Parse& parse) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    items.clear();
    const int error =
        socket.request(type, family, NLM_F_DUMP, build, [&](const nlmsghdr* message) { parse(message, items); });
    if (error == 0) return true;
    if (error != EINTR) break;
  }
  items.clear();
  return false;
}

void append_base_chain(const nlmsghdr* message, std::vector<NftBaseChain>& chains) {
  const ChainPtr chain(nftnl_chain_alloc(), &nftnl_chain_free);
  if (!chain || nftnl_chain_nlmsg_parse(message, chain.get()) < 0) return;
  const std::uint32_t family = nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_FAMILY);
  if (!concerns_us(family) || !nftnl_chain_is_set(chain.get(), NFTNL_CHAIN_HOOKNUM)) return;
  const std::uint32_t hook = nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_HOOKNUM);
  const bool nat = hook == NF_INET_POST_ROUTING && text(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TYPE)) == "nat";
  if (hook != NF_INET_FORWARD && !nat) return;
  const bool policy_drop = nftnl_chain_is_set(chain.get(), NFTNL_CHAIN_POLICY) &&
                           nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_POLICY) == NF_DROP;
  chains.push_back({static_cast<std::uint16_t>(family), text(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE)),
                    text(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME)), nat, policy_drop});
}

void append_dormant_table(const nlmsghdr* message, std::vector<TableKey>& tables) {
  const TablePtr table(nftnl_table_alloc(), &nftnl_table_free);
  if (!table || nftnl_table_nlmsg_parse(message, table.get()) < 0) return;
  if ((nftnl_table_get_u32(table.get(), NFTNL_TABLE_FLAGS) & NFT_TABLE_F_DORMANT) == 0) return;
  tables.emplace_back(static_cast<std::uint16_t>(nftnl_table_get_u32(table.get(), NFTNL_TABLE_FAMILY)),
                      text(nftnl_table_get_str(table.get(), NFTNL_TABLE_NAME)));
}

void append_rule(const nlmsghdr* message, std::vector<RulePtr>& rules) {
  RulePtr rule(nftnl_rule_alloc(), &nftnl_rule_free);
  if (rule && nftnl_rule_nlmsg_parse(message, rule.get()) >= 0) rules.push_back(std::move(rule));
}

/// Takes an element found. The kernel also answers with the end of an interval, which is not part of it.
int take_element(nftnl_set_elem* found, void* result) {
  NftElement& element = *static_cast<NftElement*>(result);
  const std::uint32_t flags =
      nftnl_set_elem_is_set(found, NFTNL_SET_ELEM_FLAGS) ? nftnl_set_elem_get_u32(found, NFTNL_SET_ELEM_FLAGS) : 0;
  const bool end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
  element.presence = end ? NftElement::Presence::kAbsent : NftElement::Presence::kPresent;
  if (nftnl_set_elem_is_set(found, NFTNL_SET_ELEM_VERDICT)) {
    element.verdict = nft_verdict(nftnl_set_elem_get_u32(found, NFTNL_SET_ELEM_VERDICT));
    element.chain = text(nftnl_set_elem_get_str(found, NFTNL_SET_ELEM_CHAIN));
  }
  return 0;
}

int take_generation(const nlattr* attribute, void* result) {
  const bool id = mnl_attr_get_type(attribute) == NFTA_GEN_ID && mnl_attr_validate(attribute, MNL_TYPE_U32) == 0;
  if (id) *static_cast<std::optional<std::uint32_t>*>(result) = ntohl(mnl_attr_get_u32(attribute));
  return MNL_CB_OK;
}

/// A request for one key of one set.
SetPtr element_request(const NftBaseChain& base, const std::string& set, const std::string& key) {
  SetPtr request(nftnl_set_alloc(), &nftnl_set_free);
  nftnl_set_elem* wanted = nftnl_set_elem_alloc();
  if (!request || wanted == nullptr) return {nullptr, &nftnl_set_free};
  nftnl_set_elem_set(wanted, NFTNL_SET_ELEM_KEY, key.data(), static_cast<std::uint32_t>(key.size()));
  nftnl_set_elem_add(request.get(), wanted);  // now owned by the set
  nftnl_set_set_str(request.get(), NFTNL_SET_TABLE, base.table.c_str());
  nftnl_set_set_str(request.get(), NFTNL_SET_NAME, set.c_str());
  return request;
}

}  // namespace

std::optional<NftGeneration> NftRuleset::generation() {
  std::optional<std::uint32_t> number;
  const int error = socket_.request(NFT_MSG_GETGEN, NFPROTO_UNSPEC, NLM_F_ACK, {}, [&](const nlmsghdr* message) {
    mnl_attr_parse(message, sizeof(nfgenmsg), take_generation, &number);
  });
  const auto cookie = socket_.namespace_cookie();
  if (error != 0 || !number || !cookie) return std::nullopt;
  return NftGeneration{*cookie, *number};
}

std::vector<NftBaseChain> NftRuleset::base_chains() {
  std::vector<NftBaseChain> chains;
  dump(socket_, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, {}, chains, append_base_chain);
  if (chains.empty()) return chains;
  std::vector<TableKey> dormant;
  dump(socket_, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, {}, dormant, append_dormant_table);
  std::erase_if(chains, [&](const NftBaseChain& chain) {
    return std::find(dormant.begin(), dormant.end(), TableKey{chain.family, chain.table}) != dormant.end();
  });
  return chains;
}

const std::vector<FirewallRule>& NftRuleset::rules(const NftBaseChain& base, const std::string& chain) {
  const auto [known, added] = rules_.try_emplace(ChainKey{base.family, base.table, chain});
  if (!added) return known->second;
  const auto filter = [&](nlmsghdr* message) {
    const RulePtr wanted(nftnl_rule_alloc(), &nftnl_rule_free);
    if (!wanted) return;
    nftnl_rule_set_str(wanted.get(), NFTNL_RULE_TABLE, base.table.c_str());
    nftnl_rule_set_str(wanted.get(), NFTNL_RULE_CHAIN, chain.c_str());
    nftnl_rule_nlmsg_build_payload(message, wanted.get());
  };
  std::vector<RulePtr> programs;
  if (!dump(socket_, NFT_MSG_GETRULE, base.family, filter, programs, append_rule)) {
    known->second.emplace_back().verdict = RuleVerdict::kAccept;  // what cannot be read must not cause a warning
    return known->second;
  }
  NftRuleReader reader(ingress_, device_,
                       [&](const std::string& set, const std::string& key) { return find_element(base, set, key); });
  for (const RulePtr& program : programs) reader.read(program.get(), known->second);
  return known->second;
}

NftElement NftRuleset::find_element(const NftBaseChain& base, const std::string& set, const std::string& key) {
  NftElement element;
  const SetPtr wanted = element_request(base, set, key);
  if (!wanted) return element;
  const int error = socket_.request(
      NFT_MSG_GETSETELEM, base.family, NLM_F_ACK,
      [&](nlmsghdr* message) { nftnl_set_elems_nlmsg_build_payload(message, wanted.get()); },
      [&](const nlmsghdr* message) {
        const SetPtr reply(nftnl_set_alloc(), &nftnl_set_free);
        if (!reply || nftnl_set_elems_nlmsg_parse(message, reply.get()) < 0) return;
        nftnl_set_elem_foreach(reply.get(), take_element, &element);
      });
  // Anything but "no such element", a key of another length for one, says nothing.
  if (error == ENOENT) element.presence = NftElement::Presence::kAbsent;
  return error == 0 || error == ENOENT ? element : NftElement{};
}

}  // namespace limpet::network
