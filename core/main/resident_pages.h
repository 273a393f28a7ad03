// How much of the memory that is free stays resident: free memory is shared by all threads, and what only the start needed goes
// back to the machine.
#pragma once

namespace posthus::main {

/// Lets all threads take from one pool of free memory, so that what one gave back serves the next. Whoever sets MALLOC_ARENA_MAX
/// in the environment (many processors, much memory) has his number. Thread rule: before the first other thread.
void share_free_memory();

/// Lets go of the pages of program and libraries that were read at the start (relocation, symbol tables, initialisers) and of
/// what malloc keeps free. Pages that are needed again come back from the page cache. Best effort. Thread rule: any thread.
void give_back_pages_of_the_start();

}  // namespace posthus::main
