// SPDX-License-Identifier: Apache-2.0
// What a command line has said so far, option by option; ipvsadm lets the order of some options matter.
#pragma once

#include <string>

#include "ipvsadm/grammar.h"
#include "ipvsadm/names.h"
#include "ipvsadm/option_scanner.h"
#include "ipvsadm/options.h"
#include "ipvsadm/parse_result.h"
#include "model/service.h"
#include "model/sync_daemon.h"

namespace limpet::ipvsadm {

struct Draft {
  OptionSet options;
  // The service; its key's parts are put together by key().
  Family family = Family::ipv4;
  Protocol protocol = Protocol::ip;
  Address address;
  Port port;
  Mark mark;
  Service service;
  std::string scheduler_flags;
  Destination destination;
  SyncDaemon sync_daemon;
  ListFormat format;

  ServiceKey key() const;
};

// Takes in one option other than the command; `word` is how it was written.
Checked take_option(Draft& draft, const OptionScanner::Option& option, const std::string& word, const Names& names);

// What ipvsadm checks and completes once all options are known; the flags with every command, before it looks whether
// that command has any.
Checked finish_scheduler_flags(Draft& draft);
Checked finish_service(Draft& draft);
Checked finish_destination(Draft& draft);

}  // namespace limpet::ipvsadm
