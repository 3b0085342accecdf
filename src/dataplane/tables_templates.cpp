// SPDX-License-Identifier: Apache-2.0
// The configuration in the data plane's tables: templates of former tables, put into new ones.
#include <bpf/bpf.h>

#include <algorithm>
#include <random>

#include "dataplane/clock.h"
#include "dataplane/keys.h"
#include "dataplane/tables.h"
#include "dataplane/words.h"

namespace limpet::dataplane {
namespace {

// Of an IPv4 template, as template_key() in bpf/template.h has it.
limpet_template4_key template_key(const TemplateRecord& record) {
  const ServiceKey& service = record.origin.service;
  limpet_template4_key key{};
  key.client_network = record.client.ipv4_network_order();
  key.family = LIMPET_IPV4;
  key.virtual_port = htons(template_port(service).value);
  if (service.is_mark()) {
    key.virtual_address = htonl(service.mark.value);
  } else {
    key.virtual_address = service.address.ipv4_network_order();
    key.protocol = static_cast<std::uint8_t>(service.protocol);
  }
  return key;
}

}  // namespace

RestoredTemplates& RestoredTemplates::operator+=(const RestoredTemplates& other) {
  restored += other.restored;
  expired += other.expired;
  gone += other.gone;
  no_room += other.no_room;
  return *this;
}

RestoredTemplates Tables::restore_templates(std::span<const TemplateRecord> records) {
  RestoredTemplates outcome;
  std::minstd_rand serials(std::random_device{}());
  const std::uint64_t now = ticks_now();
  const int fd = object_.map_fd("templates4");
  for (const TemplateRecord& record : records) {
    const TemplateOrigin& origin = record.origin;
    const std::uint32_t id = destination_id(origin.service, origin.server);
    if (record.left.count() <= 0) {
      ++outcome.expired;
    } else if (id == 0 || origin.service.family != Family::ipv4) {
      ++outcome.gone;
    } else {
      const limpet_template4_key key = template_key(record);
      limpet_template entry{};
      entry.word = template_word(now + ticks_of(record.left), record.assured, record.extended);
      entry.destination = id;
      entry.serial = static_cast<std::uint32_t>(serials()) | 1U;  // 0 is nobody's
      entry.timeout = origin.timeout;
      entry.mask = origin.netmask;
      if (::bpf_map_update_elem(fd, &key, &entry, BPF_NOEXIST) == 0) {
        __atomic_fetch_add(&object_.counts[id].persistent, 1, __ATOMIC_SEQ_CST);
        ++outcome.restored;
      } else if (errno != EEXIST) {
        ++outcome.no_room;
      }
    }
  }
  return outcome;
}

}  // namespace limpet::dataplane
