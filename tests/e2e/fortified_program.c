// SPDX-License-Identifier: Apache-2.0
// Prints a file that it has opened in one of the ways that _FORTIFY_SOURCE leads through functions of its own: those
// are taken where the compiler cannot see the flags, or the size of a read. The test runs it by `limpet run`.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char** words) {
  if (count != 3) return 2;
  const char* way = words[1];
  const char* path = words[2];
  const int flags = getenv("NOT_SET") != NULL ? O_WRONLY : O_RDONLY;
  char text[4096];
  if (strcmp(way, "fopen") == 0) {
    FILE* file = fopen(path, "r");
    if (file == NULL) return 1;
    while (fgets(text, sizeof text, file) != NULL) fputs(text, stdout);
    return fclose(file);
  }
  const int fd = strcmp(way, "openat") == 0 ? openat(AT_FDCWD, path, flags) : open(path, flags);
  if (fd < 0) return 1;
  const size_t size = strcmp(way, "read") == 0 && getenv("NOT_SET") == NULL ? 100 : sizeof text;
  for (ssize_t length; (length = read(fd, text, size)) > 0;) fwrite(text, 1, (size_t)length, stdout);
  return close(fd);
}
