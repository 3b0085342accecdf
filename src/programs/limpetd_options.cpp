// SPDX-License-Identifier: Apache-2.0
// limpetd's command line and configuration file.
#include "programs/limpetd_options.h"

#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace limpet {
namespace {

constexpr const char* kDefaultFile = "/etc/limpet/limpetd.toml";

const std::map<std::string, DoorChoice> kDoors{
    {"auto", DoorChoice::automatic}, {"xdp", DoorChoice::xdp}, {"tc", DoorChoice::tc}};
constexpr const char* kDoorNames = "\"auto\", \"xdp\" or \"tc\"";
const std::map<std::string, bool> kFirstPackets{{"direct", false}, {"netfilter", true}};
const std::map<std::string, spdlog::level::level_enum> kLevels{{"trace", spdlog::level::trace},
                                                               {"debug", spdlog::level::debug},
                                                               {"info", spdlog::level::info},
                                                               {"warning", spdlog::level::warn},
                                                               {"error", spdlog::level::err}};

Error at(const std::string& file, const toml::node& node, const std::string& text) {
  return {ErrorCode::bad_request, file + ":" + std::to_string(node.source().begin.line) + ": " + text};
}

// Reads one key after the other and complains of what nobody asked for.
class FileReader {
 public:
  FileReader(std::string file, const toml::table& table) : file_(std::move(file)), table_(table) {}

  template <class T>
  void read(const std::string& key, T& target, const std::string& expected) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr || error_) return;
    const auto value = node->value_exact<T>();
    if (!value)
      error_ = at(file_, *node, "`" + key + "` must be " + expected);
    else
      target = *value;
  }

  // One of the names in `choices`.
  template <class T>
  void read_choice(const std::string& key, const std::map<std::string, T>& choices, T& target,
                   const std::string& expected) {
    std::string name;
    read(key, name, expected);
    if (error_ || table_.get(key) == nullptr) return;
    if (const auto found = choices.find(name); found != choices.end())
      target = found->second;
    else
      fail(*table_.get(key), "`" + key + "` must be " + expected);
  }

  void read_ceiling(const std::string& key, std::uint32_t& target, std::int64_t most) {
    std::int64_t value = target;
    read(key, value, "a number");
    if (error_) return;
    if (value < 2 || value > most)
      error_ = at(file_, *table_.get(key), "`" + key + "` must be from 2 to " + std::to_string(most));
    else
      target = static_cast<std::uint32_t>(value);
  }

  const toml::node* node(const std::string& key) {
    known_.insert(key);
    return table_.get(key);
  }
  void fail(const toml::node& where, const std::string& text) { fail(at(file_, where, text)); }
  void fail(const Error& error) {
    if (!error_) error_ = error;
  }

  std::optional<Error> finish() {
    for (const auto& [key, value] : table_)
      if (!known_.contains(std::string(key.str()))) fail(value, "unknown key `" + std::string(key.str()) + "`");
    return error_;
  }

 private:
  std::string file_;
  const toml::table& table_;
  std::set<std::string> known_;
  std::optional<Error> error_;
};

// The doors of single interfaces: a table of names.
void read_doors(FileReader& reader, const std::string& file, std::map<std::string, DoorChoice>& doors) {
  const toml::node* node = reader.node("doors");
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) return reader.fail(*node, "`doors` must be a table");
  FileReader names(file, *table);
  for (const auto& [key, value] : *table) {
    const std::string interface(key.str());
    names.read_choice(interface, kDoors, doors[interface], kDoorNames);
  }
  if (const auto bad = names.finish()) reader.fail(*bad);
}

void read_interfaces(FileReader& reader, std::vector<std::string>& interfaces) {
  const toml::node* node = reader.node("interfaces");
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) return reader.fail(*node, "`interfaces` must be a list of names");
  for (const toml::node& element : *array) {
    const auto name = element.value_exact<std::string>();
    if (!name) return reader.fail(element, "`interfaces` must be a list of names");
    interfaces.push_back(*name);
  }
}

std::optional<Error> read_tables(const std::string& file, const toml::table& table, dataplane::Ceilings& ceilings) {
  FileReader reader(file, table);
  // The ABI's limits: 24 bits of flows a template controls, 18 of destinations a service.
  reader.read_ceiling("services", ceilings.services, 1 << 20);
  reader.read_ceiling("destinations", ceilings.destinations, 1 << 20);
  reader.read_ceiling("flows", ceilings.flows, (1 << 24) - 1);
  reader.read_ceiling("templates", ceilings.templates, (1 << 24) - 1);
  return reader.finish();
}

void read_maglev(FileReader& reader, const std::string& file, std::filesystem::path& key_file) {
  const toml::node* node = reader.node("maglev");
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) return reader.fail(*node, "`maglev` must be a table");
  FileReader maglev(file, *table);
  std::string path;
  maglev.read("key-file", path, "a path in quotes");
  key_file = path;
  if (const auto bad = maglev.finish()) reader.fail(*bad);
}

// net.ipv4.vs.*, by names without that.
void read_sysctls(FileReader& reader, const std::string& file, std::vector<FileSetting>& settings) {
  const toml::node* node = reader.node("sysctl");
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) return reader.fail(*node, "`sysctl` must be a table");
  for (const auto& [key, value] : *table) {
    const std::string source = file + ":" + std::to_string(value.source().begin.line);
    const auto number = value.value_exact<std::int64_t>();
    const auto text = value.value_exact<std::string>();
    if (!number && !text) return reader.fail(value, "`" + std::string(key.str()) + "` must be a number");
    const Setting setting{std::string(key.str()), number ? std::to_string(*number) : *text};
    if (const auto fine = check(setting); !fine) return reader.fail(value, fine.error().text);
    settings.push_back({setting, source, false});
  }
}

Result<void> read_file(const std::string& file, bool must_exist, DaemonOptions& daemon) {
  std::error_code error;
  if (!must_exist && !std::filesystem::exists(file, error)) return {};
  std::ifstream text(file);
  if (!text || std::filesystem::is_directory(file, error))
    return Error{ErrorCode::bad_request,
                 "cannot read the configuration " + file + ": " + std::strerror(text ? EISDIR : errno)};
  toml::table table;
  try {
    table = toml::parse(text, file);
  } catch (const toml::parse_error& e) {
    return Error{ErrorCode::bad_request,
                 file + ":" + std::to_string(e.source().begin.line) + ": " + std::string(e.description())};
  }
  FileReader reader(file, table);
  DirectorOptions& options = daemon.director;
  std::string run = options.run_directory;
  std::string state = options.state_directory;
  reader.read("run-dir", run, "a path in quotes");
  reader.read("state-dir", state, "a path in quotes");
  reader.read_choice("door", kDoors, options.door, kDoorNames);
  read_doors(reader, file, options.doors);
  reader.read_choice("first-packets", kFirstPackets, options.first_packets_netfilter, "\"direct\" or \"netfilter\"");
  reader.read_choice("log-level", kLevels, daemon.log_level,
                     "\"trace\", \"debug\", \"info\", \"warning\" or \"error\"");
  read_interfaces(reader, options.interfaces);
  read_sysctls(reader, file, options.settings);
  read_maglev(reader, file, options.maglev_key_file);
  options.run_directory = run;
  options.state_directory = state;
  if (const toml::node* node = reader.node("tables"); node != nullptr) {
    if (const toml::table* tables = node->as_table(); tables == nullptr)
      reader.fail(*node, "`tables` must be a table");
    else if (auto bad = read_tables(file, *tables, options.ceilings))
      return *bad;
  }
  if (auto bad = reader.finish()) return *bad;
  return {};
}

// "xdp" (of every interface: no name) or "eth0=xdp".
std::optional<std::pair<std::string, DoorChoice>> take_door(const std::string& word) {
  const auto equals = word.rfind('=');
  const bool named = equals != std::string::npos;
  const auto choice = kDoors.find(named ? word.substr(equals + 1) : word);
  if (choice == kDoors.end() || equals == 0) return std::nullopt;
  return std::pair{named ? word.substr(0, equals) : "", choice->second};
}

}  // namespace

Result<DaemonOptions> read_daemon_options(int argc, const char* const* argv) {
  DaemonOptions options;
  DirectorOptions from_line;
  std::string file = kDefaultFile;
  std::vector<std::string> door_line;
  std::string log_level_line;
  CLI::App app{
      "limpetd - layer-4 virtual server with session persistence\n"
      "Serves the network namespace it is started in, in the foreground. Without options it serves this host;\n"
      "services are added with limpetadm (ipvsadm's commands) and survive restarts of limpetd and of the host.",
      "limpetd"};
  app.set_version_flag("--version", std::string("limpetd ") + LIMPET_VERSION);
  auto* config = app.add_option("--config", file, "Configuration file (TOML)")->capture_default_str();
  auto* run = app.add_option("--run-dir", from_line.run_directory, "Socket and BPF file system")->capture_default_str();
  auto* state =
      app.add_option("--state-dir", from_line.state_directory, "Journal of services, snapshot of persistence templates")
          ->capture_default_str();
  app.add_option("--door", door_line,
                 "auto: XDP where the driver has it, else tc; or one of them. INTERFACE=... for a single one; may be "
                 "given again")
      ->type_name("[INTERFACE=]auto|xdp|tc")
      ->allow_extra_args(false)
      ->check([](const std::string& word) { return take_door(word).has_value() ? "" : word + " is no door"; });
  auto* interfaces = app.add_option("--interface", from_line.interfaces,
                                    "Serve only this interface (may be given again); default: every Ethernet one");
  bool netfilter = false;
  auto* first = app.add_flag("--first-packets-netfilter", netfilter,
                             "Lead first packets through the host's firewall always, as IPVS does");
  auto& line_ceilings = from_line.ceilings;
  auto* services = app.add_option("--max-services", line_ceilings.services)->check(CLI::Range(2, 1 << 20));
  auto* destinations = app.add_option("--max-destinations", line_ceilings.destinations)->check(CLI::Range(2, 1 << 20));
  auto* flows = app.add_option("--max-flows", line_ceilings.flows)->check(CLI::Range(2, (1 << 24) - 1));
  auto* templates = app.add_option("--max-templates", line_ceilings.templates)->check(CLI::Range(2, (1 << 24) - 1));
  auto* log_level = app.add_option("--log-level", log_level_line, "Least severe messages that are logged")
                        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    options.exit_code = app.exit(e);
    if (*options.exit_code != 0) options.exit_code = 2;
    return options;
  }

  DirectorOptions& d = options.director;
  if (auto read = read_file(file, config->count() > 0, options); !read) return read.error();
  if (run->count() > 0) d.run_directory = from_line.run_directory;
  if (state->count() > 0) d.state_directory = from_line.state_directory;
  for (const std::string& word : door_line) {
    const auto [interface, choice] = *take_door(word);
    (interface.empty() ? d.door : d.doors[interface]) = choice;
  }
  if (interfaces->count() > 0) d.interfaces = from_line.interfaces;
  if (first->count() > 0) d.first_packets_netfilter = netfilter;
  if (services->count() > 0) d.ceilings.services = line_ceilings.services;
  if (destinations->count() > 0) d.ceilings.destinations = line_ceilings.destinations;
  if (flows->count() > 0) d.ceilings.flows = line_ceilings.flows;
  if (templates->count() > 0) d.ceilings.templates = line_ceilings.templates;
  if (log_level->count() > 0) options.log_level = kLevels.at(log_level_line);
  return options;
}

}  // namespace limpet
