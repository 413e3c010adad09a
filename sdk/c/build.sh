#!/bin/sh
# Builds a plugin in C: build.sh SRC OUT. CLANG names another compiler.
#
# build.sh --version prints which compiler that is. Exit status 3: the tools are
# not here.
set -eu
clang=${CLANG:-clang-22}
if ! command -v "$clang" >/dev/null; then
  echo "no clang for wasm32: install Debian's clang-22 and lld-22, or set CLANG to another" >&2
  exit 3
fi
if [ "$1" = --version ]; then
  "$clang" -dumpversion | sed 's/^/clang /'
  exit
fi
exec "$clang" --target=wasm32 -nostdlib -mbulk-memory -O2 -Wall -Wextra -Werror \
  -Wno-unused-function -I"$(dirname "$0")" -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536 -o "$2" "$1"
