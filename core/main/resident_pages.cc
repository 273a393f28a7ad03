// How much of the memory that is free stays resident. Thread rule: resident_pages.h.
// Known limits: glibc and Linux; elsewhere nothing would happen.
#include "core/main/resident_pages.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace posthus::main {
namespace {

// WHY only segments that are never written: their pages are those of the file, so nothing is lost with them.
int give_back(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void share_free_memory() {
  // WHY one: with one for each of some sixteen threads, what a request took stays with the thread that served it, and the next
  // request meets another thread. WHY it costs nothing that shows: small pieces come from each thread's own cache, without a
  // lock.
  constexpr int kArenas = 1;
  if (std::getenv("MALLOC_ARENA_MAX") == nullptr) ::mallopt(M_ARENA_MAX, kArenas);
}

void give_back_pages_of_the_start() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(&give_back, nullptr);
}

}  // namespace posthus::main
