// SPDX-License-Identifier: Apache-2.0
// The doors at the interfaces: which interface gets XDP and which tc, as interfaces come, go and change.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dataplane/object.h"
#include "director/director.h"
#include "director/options.h"
#include "director/trace_record.h"
#include "network/interfaces.h"

namespace limpet {

class Doors {
 public:
  Doors(dataplane::Object& object, const DirectorOptions& options, QdiscRecord& qdiscs)
      : object_(object), options_(options), qdiscs_(qdiscs) {}

  // Brings the doors in line with the interfaces there are. What it did or could not do is logged once, not each time.
  void refresh(const std::vector<network::Link>& links);
  std::vector<DoorStatus> status() const;
  // Names of interfaces with a door: where clients arrive.
  std::vector<std::string> interfaces() const;

 private:
  struct Door {
    DoorStatus status;
    int ifindex = 0;
  };
  bool is_wanted(const network::DoorLink& link) const;
  void keep_record_of_renamed(const std::vector<network::Link>& links);
  void close_others(const std::vector<network::Link>& links, const std::map<std::string, Door>& now);
  Door open(const network::DoorLink& link);
  DoorStatus open_xdp(const network::DoorLink& link);
  void describe_device(const network::DoorLink& link, bool xdp);

  dataplane::Object& object_;
  const DirectorOptions& options_;
  QdiscRecord& qdiscs_;
  std::map<std::string, Door> doors_;
  bool first_ = true;  // nothing is known yet of what a former limpetd has left
};

// Takes every door out of the interfaces of this network namespace, and the qdiscs on record. Returns the first error.
Result<void> close_all_doors(QdiscRecord& qdiscs, const std::vector<network::Link>& links);

}  // namespace limpet
