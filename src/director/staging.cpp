// SPDX-License-Identifier: Apache-2.0
// Commands on a copy of the configuration.
#include "director/staging.h"

#include <type_traits>
#include <variant>

#include "model/carried.h"

namespace limpet {

Result<void> Staging::stage(const Command& command) {
  if (auto fine = configuration_.check(command); !fine) return fine;
  if (auto fine = carried(command); !fine) return fine;
  std::visit(
      [this](const auto& c) {
        using C = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<C, AddService> || std::is_same_v<C, EditService>) {
          touch(c.service.key);
        } else if constexpr (std::is_same_v<C, DeleteService>) {
          touch(c.key);
        } else if constexpr (std::is_same_v<C, AddDestination> || std::is_same_v<C, EditDestination> ||
                             std::is_same_v<C, DeleteDestination>) {
          touch(c.service);
        } else if constexpr (std::is_same_v<C, Flush>) {
          for (const ConfiguredService& service : configuration_.services()) touch(service.service.key);
        }
      },
      command);
  configuration_.apply(command);
  return {};
}

void Staging::touch(const ServiceKey& key) {
  if (is_touched_.insert(key).second) touched_.push_back(key);
}

}  // namespace limpet
