// SPDX-License-Identifier: Apache-2.0
// `limpet sysctl`.
#include "programs/limpet_sysctl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "api/client.h"
#include "json/json.h"
#include "programs/limpet_print.h"
#include "programs/sysctl_files.h"

namespace limpet {
namespace {

using Settings = std::vector<Setting>;

struct Word {
  std::string name;                  // behind net.ipv4.vs.; empty: all of them
  std::optional<std::string> value;  // to be set
};

Result<Word> read_word(const std::string& text, bool write) {
  const std::size_t equals = text.find('=');
  const std::string key(without_blanks(std::string_view(text).substr(0, equals)));
  Word word{tunable_name(key), std::nullopt};
  if (equals != std::string::npos) word.value = without_blanks(std::string_view(text).substr(equals + 1));
  if (write && !word.value) return Error{ErrorCode::bad_request, "\"" + text + "\" must be NAME=VALUE"};
  const bool all = key == "net.ipv4.vs" || key == "net/ipv4/vs" || key == "net.ipv4.vs." || key == "net/ipv4/vs/";
  if (word.name.empty() && !(all && !word.value))
    return Error{ErrorCode::bad_request, "\"" + key + "\" is none of net.ipv4.vs.*"};
  if (word.value && word.value->empty()) return Error{ErrorCode::bad_request, "\"" + text + "\" has no value"};
  return word;
}

// What the word asks for, done: the settings to be printed.
Result<Settings> carry_out(api::Client& client, const Word& word) {
  if (word.value)
    if (auto done = client.execute(SetTunables{{{word.name, *word.value}}}); !done) return done.error();
  auto all = client.tunables();
  if (!all || word.name.empty()) return all;
  std::erase_if(*all, [&](const Setting& setting) { return setting.name != word.name; });
  if (all->empty())
    return Error{ErrorCode::no_such_setting, fmt::format("{}{}: there is no such setting", kTunablePrefix, word.name)};
  // As sysctl(8): what was written, though the defence modes may have gone on from there already.
  if (word.value) all->front().value = *word.value;
  return all;
}

bool print_settings(const Settings& settings, bool values_only) {
  return std::all_of(settings.begin(), settings.end(), [&](const Setting& setting) {
    return print(values_only ? setting.value + "\n"
                             : fmt::format("{}{} = {}\n", kTunablePrefix, setting.name, setting.value));
  });
}

}  // namespace

Result<void> run_sysctl(const std::filesystem::path& run_directory, const SysctlArguments& arguments, bool as_json) {
  auto words = arguments.words;
  if (arguments.all) words.insert(words.begin(), "net.ipv4.vs");
  if (words.empty()) return Error{ErrorCode::bad_request, "sysctl needs a name such as net.ipv4.vs.drop_entry, or -a"};
  auto client = api::Client::connect(run_directory);
  if (!client) return client.error();
  Result<void> outcome;
  Settings settings;
  bool all = true;
  for (const std::string& text : words) {
    const auto word = read_word(text, arguments.write);
    const auto done = word ? carry_out(*client, *word) : Result<Settings>(word.error());
    if (!done) {
      if (!outcome) fmt::print(stderr, "limpet: {}\n", outcome.error().text);
      outcome = done.error();
    } else if (as_json) {
      settings.insert(settings.end(), done->begin(), done->end());
    } else {
      all = all && print_settings(*done, arguments.values_only);
    }
  }
  if (as_json && !settings.empty()) all = print(json_codec::settings_to_json(settings).dump(2) + "\n");
  if (auto complete = printed(all); !complete) return complete;
  return outcome;
}

}  // namespace limpet
