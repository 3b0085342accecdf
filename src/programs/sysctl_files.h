// SPDX-License-Identifier: Apache-2.0
// The lines about net.ipv4.vs.* in the host's sysctl files, with the precedence of sysctl.d(5).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "director/options.h"

namespace limpet {

// The text of one file; `file` begins the sources. Lines about anything else are left out, and patterns are not
// expanded.
std::vector<FileSetting> read_sysctl_text(std::string_view text, const std::string& file);

// {etc,run,usr/local/lib,usr/lib,lib}/sysctl.d/*.conf below `root`, by name: one of an earlier directory stands for
// those of its name in later ones. etc/sysctl.conf is the last. What cannot be read is left out.
std::vector<FileSetting> read_sysctl_files(const std::filesystem::path& root = "/");

// Without those before and behind it: sysctl.d(5) allows them around the equals sign.
std::string_view without_blanks(std::string_view text);

// A setting's name behind "net.ipv4.vs.", slashes being as good as dots; empty: it is none of them.
std::string tunable_name(std::string_view key);

}  // namespace limpet
