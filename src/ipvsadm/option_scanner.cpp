// SPDX-License-Identifier: Apache-2.0
// The rules of popt 1.19's poptGetNextOpt, as far as a command without aliases can meet them.
#include "ipvsadm/option_scanner.h"

#include <algorithm>

namespace limpet::ipvsadm {

OptionScanner::Status OptionScanner::next() {
  if (!group_.empty()) return next_short();
  while (position_ < words_.size()) {
    const std::string_view word = words_[position_++];
    if (only_arguments_ || word.size() < 2 || word.front() != '-') {
      rest_.emplace_back(word);
    } else if (word == "--") {
      only_arguments_ = true;
    } else if (word.starts_with("--")) {
      return next_long(word.substr(2));
    } else {
      group_ = word.substr(1);
      return next_short();
    }
  }
  return Status::end;
}

OptionScanner::Status OptionScanner::next_long(std::string_view text) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  const auto spec =
      std::find_if(specs_.begin(), specs_.end(), [&](const OptionSpec& each) { return each.long_name == name; });
  if (spec == specs_.end()) return Status::unknown_option;
  std::optional<std::string_view> attached;
  if (equals != std::string_view::npos) attached = text.substr(equals + 1);
  return take(*spec, attached);
}

OptionScanner::Status OptionScanner::next_short() {
  const char letter = group_.front();
  const auto spec =
      std::find_if(specs_.begin(), specs_.end(), [&](const OptionSpec& each) { return each.short_name == letter; });
  if (spec == specs_.end()) {
    group_ = {};
    return Status::unknown_option;
  }
  group_.remove_prefix(1);
  if (group_.empty()) return take(*spec, std::nullopt);
  const bool equals = group_.front() == '=';
  if (spec->argument == Argument::none && !equals) {
    option_ = {spec->id, std::nullopt};
    return Status::option;
  }
  const auto attached = group_.substr(equals ? 1 : 0);
  group_ = {};
  return take(*spec, attached);
}

OptionScanner::Status OptionScanner::take(const OptionSpec& spec, std::optional<std::string_view> attached) {
  option_ = {spec.id, std::nullopt};
  if (spec.argument == Argument::none) return attached ? Status::unwanted_argument : Status::option;
  if (attached) {
    option_.argument = std::string(*attached);
    return Status::option;
  }
  if (position_ == words_.size()) {
    return spec.argument == Argument::optional ? Status::option : Status::missing_argument;
  }
  // An optional argument is taken unless it looks like an option; a required one is taken whatever it looks like.
  if (spec.argument == Argument::required || !words_[position_].starts_with('-')) {
    option_.argument = words_[position_++];
  }
  return Status::option;
}

}  // namespace limpet::ipvsadm
