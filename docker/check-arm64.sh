#!/usr/bin/env bash
# Does Posthus build for linux/arm64? Cross-compiles and links the server with clang against Debian's arm64 packages, unpacked into a
# folder of their own: nothing is installed, nothing is run. Needs debootstrap, clang-19 and mold.
#   docker/check-arm64.sh [FOLDER]     FOLDER: where the packages and the build go; build/arm64 without it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(realpath -m "${1:-build/arm64}")
sysroot=$folder/sysroot
packages=libc6-dev,libstdc++-12-dev,libasio-dev,libssl-dev,liblmdb-dev,nlohmann-json3-dev,libargon2-dev,libidn2-dev,libunbound-dev,libunistring-dev,libzstd-dev,zlib1g-dev,libfmt-dev,libcli11-dev,libtomlplusplus-dev,libcpp-httplib-dev,libbrotli-dev,libqrencode-dev

if [ ! -e "$sysroot/.unpacked" ]; then
  rm -rf "$sysroot"
  mkdir -p "$sysroot"
  # The first stage only downloads and unpacks: it needs no arm64 machine. It does not unpack what is included, so we do.
  debootstrap --foreign --arch=arm64 --variant=minbase --include="$packages" bookworm "$sysroot" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
  for package in "$sysroot"/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$sysroot"; done
  rm -f "$sysroot"/var/cache/apt/archives/*.deb
  touch "$sysroot/.unpacked"
fi

cat >"$folder/toolchain.cmake" <<END
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_SYSROOT $sysroot)
foreach(language C CXX ASM)
  set(CMAKE_\${language}_COMPILER_TARGET aarch64-linux-gnu)
endforeach()
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=mold)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH $sysroot)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
END
export PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig
cmake --preset debug -B "$folder/build" -DCMAKE_TOOLCHAIN_FILE="$folder/toolchain.cmake" -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DPOSTHUS_TESTS=OFF
cmake --build "$folder/build" --target posthus
file "$folder/build/posthus" 2>/dev/null || od -A n -t x1 -j 18 -N 2 "$folder/build/posthus"
od -A n -t u2 -j 18 -N 2 "$folder/build/posthus" | grep -qw 183  # EM_AARCH64
echo "linux/arm64: compiled and linked"
