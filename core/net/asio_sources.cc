// The one translation unit that compiles Asio itself (ASIO_SEPARATE_COMPILATION): the others stay quick to build.
#include <asio/impl/src.hpp>
