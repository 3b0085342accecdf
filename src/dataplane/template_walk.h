// SPDX-License-Identifier: Apache-2.0
// Persistence templates by names, in pieces: what a snapshot of them holds.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "dataplane/batch.h"
#include "dataplane/object.h"
#include "model/template_record.h"

namespace limpet::dataplane {

class TemplateWalk {
 public:
  explicit TemplateWalk(const Object& object) : object_(object), templates_(object.map_fd("templates4")) {}

  // The next piece, of about `limit` entries of the table; it may be empty, nullopt is the end. Left out are the
  // expired, and those given up (port 65535), which no new connection will find.
  std::optional<std::vector<TemplateRecord>> next(std::size_t limit);

 private:
  const Object& object_;
  BatchWalk<limpet_template4_key, limpet_template> templates_;
  bool done_ = false;
};

}  // namespace limpet::dataplane
