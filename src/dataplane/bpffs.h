// SPDX-License-Identifier: Apache-2.0
// The BPF file system under the run directory, where maps are pinned.
#pragma once

#include <filesystem>

#include "model/result.h"

namespace limpet::dataplane {

// Mounts a BPF file system at `directory` unless there is one. `ip netns exec` gives its children a mount namespace of
// their own, which would take the pins with it when they end; so the mount is made in the first process's mount
// namespace, from where it spreads, and only failing that in our own.
Result<void> ensure_bpffs(const std::filesystem::path& directory);
bool is_bpffs(const std::filesystem::path& directory);
// Unmounts `directory` in both mount namespaces and removes it. An absent one is success.
Result<void> remove_bpffs(const std::filesystem::path& directory);

}  // namespace limpet::dataplane
