// Memory that only the start needed, given back to the machine. Thread rule: any thread.
#pragma once

namespace posthus::main {

/// Lets go of the pages of program and libraries that were read at the start (relocation, symbol tables, initialisers) and of
/// what malloc keeps free. Pages that are needed again come back from the page cache. Best effort.
void give_back_pages_of_the_start();

}  // namespace posthus::main
