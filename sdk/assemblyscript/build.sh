#!/usr/bin/env bash
# Builds a plugin from one AssemblyScript file: build.sh SRC OUT
#
# The compiler is the one of package-lock.json: npm ci gets it. build.sh --version
# prints which one that is.
#
# Exit status 3: the tools are not here.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
asc=${ASC:-$here/node_modules/.bin/asc}

if ! command -v "$asc" >/dev/null; then
	echo "no AssemblyScript compiler: run 'npm ci' in sdk/assemblyscript" >&2
	exit 3
fi
if [ "${1:-}" = --version ]; then
	"$asc" --version | sed 's/^Version /asc /'
	exit
fi
src=$(realpath "${1:?usage: build.sh SRC OUT}")
out=$(realpath -m "${2:?usage: build.sh SRC OUT}")
cd "$(dirname "$src")"
"$asc" "$(basename "$src")" -o "$out" -O3 --runtime incremental --exportStart _initialize \
	--use abort= --stackSize 16384
