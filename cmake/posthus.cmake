# Compile options of every target, and the two functions that declare targets.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PkgConfig REQUIRED)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
                    -Wno-missing-field-initializers -Werror=return-type -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wno-c23-extensions -Wno-gnu-statement-expression-from-macro-expansion -Wno-gnu-statement-expression)
endif()
include_directories(${CMAKE_SOURCE_DIR})

# Hardening of what ships (design: release hardening); sanitizers bring their own checks.
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_compile_options(-fcf-protection)
  endif()
  add_link_options(-pie -Wl,-z,relro -Wl,-z,now)
endif()
if(POSTHUS_SANITIZE)
  add_compile_options(-fsanitize=${POSTHUS_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${POSTHUS_SANITIZE})
endif()
if(POSTHUS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# What nearly every file includes; parsed once per target instead of once per file (a third of the build's time).
set(posthus_common_headers <chrono> <cstdint> <functional> <map> <memory> <optional> <string> <string_view> <utility> <variant>
                           <vector> "${CMAKE_SOURCE_DIR}/core/base/result.h")

# posthus_precompile(TARGET HEADERS...)
function(posthus_precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")  # so that ccache finds it again
  endif()
endfunction()

# posthus_library(NAME [DEPENDS targets...]): every .cc of the current folder becomes library posthus_NAME.
function(posthus_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(sources)
    add_library(posthus_${name} STATIC ${sources})
    target_link_libraries(posthus_${name} PUBLIC ${ARG_DEPENDS})
    list(LENGTH sources count)
    if(count GREATER 10)
      posthus_precompile(posthus_${name} ${posthus_common_headers})
    endif()
  else()
    add_library(posthus_${name} INTERFACE)
    target_link_libraries(posthus_${name} INTERFACE ${ARG_DEPENDS})
  endif()
endfunction()
