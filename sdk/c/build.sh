#!/bin/sh
# Builds a plugin in C: build.sh SOURCE OUTPUT. What is in the repository was built
# with clang 22 and lld 22 (Debian: clang-22 lld-22); CLANG names another.
set -eu
exec "${CLANG:-clang-22}" --target=wasm32 -nostdlib -mbulk-memory -O2 -Wall -Wextra -Werror \
  -Wno-unused-function -I"$(dirname "$0")" -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536 -o "$2" "$1"
