// SPDX-License-Identifier: Apache-2.0
// Splits a command line into options, their arguments and what is left, by the rules of popt, which ipvsadm uses:
// grouped short options, --name=value, no abbreviations.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limpet::ipvsadm {

enum class Argument { none, required, optional };

struct OptionSpec {
  int id;
  std::string_view long_name;
  char short_name;  // '\0': none
  Argument argument;
};

class OptionScanner {
 public:
  struct Option {
    int id;
    std::optional<std::string> argument;
  };
  enum class Status { option, end, unknown_option, missing_argument, unwanted_argument };

  // `words` (without the program's name) and `specs` must outlive the scanner.
  OptionScanner(std::span<const std::string> words, std::span<const OptionSpec> specs) : words_(words), specs_(specs) {}

  // The next option, which option() then returns; arguments that are no options are put aside meanwhile.
  Status next();
  const Option& option() const { return option_; }
  // The word next() looked at last, whole: what error messages name.
  const std::string& word() const { return words_[position_ - 1]; }
  // After Status::end: the arguments put aside, in order.
  const std::vector<std::string>& rest() const { return rest_; }

 private:
  Status next_long(std::string_view text);
  Status next_short();
  Status take(const OptionSpec& spec, std::optional<std::string_view> attached);

  std::span<const std::string> words_;
  std::span<const OptionSpec> specs_;
  std::size_t position_ = 0;
  std::string_view group_;  // what is left of a word like "-Lnc"
  bool only_arguments_ = false;
  Option option_{};
  std::vector<std::string> rest_;
};

}  // namespace limpet::ipvsadm
