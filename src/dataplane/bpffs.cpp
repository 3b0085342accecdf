// SPDX-License-Identifier: Apache-2.0
// The BPF file system under the run directory.
#include "dataplane/bpffs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace limpet::dataplane {
namespace {

constexpr long kBpfMagic = 0xcafe4a11;  // BPF_FS_MAGIC

// Runs `action` in a child, in the mount namespace of process 1. Mount namespaces are per process: the child keeps
// ours out of it. False: it failed, or process 1 is out of reach.
template <class Action>
bool in_first_mount_namespace(Action action) {
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    const int ns = ::open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (ns < 0 || ::setns(ns, CLONE_NEWNS) != 0) ::_exit(1);
    ::_exit(action() ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool mount_at(const char* directory) {
  return ::mount("bpf", directory, "bpf", MS_NOSUID | MS_NODEV, "mode=0700") == 0;
}

}  // namespace

bool is_bpffs(const std::filesystem::path& directory) {
  struct statfs info {};
  return ::statfs(directory.c_str(), &info) == 0 && info.f_type == kBpfMagic;
}

Result<void> ensure_bpffs(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return system_error("cannot create " + directory.string(), error.value());
  if (is_bpffs(directory)) return {};
  const char* path = directory.c_str();
  in_first_mount_namespace([path] { return mount_at(path); });
  if (is_bpffs(directory)) return {};
  if (mount_at(path)) return {};
  return system_error("cannot mount a BPF file system at " + directory.string() +
                          " (limpetd needs CAP_SYS_ADMIN and a kernel with CONFIG_BPF_SYSCALL)",
                      errno);
}

Result<void> remove_bpffs(const std::filesystem::path& directory) {
  const char* path = directory.c_str();
  if (is_bpffs(directory)) ::umount2(path, MNT_DETACH);
  in_first_mount_namespace([path, &directory] {
    if (is_bpffs(directory)) ::umount2(path, MNT_DETACH);
    return ::rmdir(path) == 0;
  });
  std::error_code error;
  std::filesystem::remove(directory, error);
  if (error) return system_error("cannot remove " + directory.string(), error.value());
  return {};
}

}  // namespace limpet::dataplane
