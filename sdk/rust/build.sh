#!/usr/bin/env bash
# Builds a plugin from one Rust file: build.sh SRC OUT
#
# It takes rustc's own wasm32-unknown-unknown where rustup has added it. Where
# there is only the compiler and its source, as in Debian's rustc-web and
# rust-web-src, it builds core from that, once, into a cache. RUSTC and WASM_LD
# name other tools; REVURB_CACHE another cache.
#
# build.sh --version prints which compiler that is. Exit status 3: the tools are not here.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=wasm32-unknown-unknown

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# No path of this machine may be in what is built.
common=(--target "$target" --edition 2021 -C opt-level=3 -C panic=abort -C strip=symbols -C codegen-units=1
	-C debuginfo=0 --remap-path-prefix "$here=sdk/rust")

# works RUSTC FLAGS...: can it compile for wasm32 at all?
works() {
	command -v "$1" >"$tmp/which" || return 1
	echo '#![no_std]' >"$tmp/probe.rs"
	"$@" --target "$target" --crate-type rlib -o "$tmp/probe.rlib" "$tmp/probe.rs" >"$tmp/log" 2>&1
}

# core RUSTC: builds core and compiler_builtins, and prints where they are.
core() {
	local rustc=$1 lib cache
	lib=$("$rustc" --print sysroot)/lib/rustlib/src/rust/library
	[ -f "$lib/core/src/lib.rs" ] || return 1
	cache=${REVURB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/revurb}/core-$("$rustc" -V | tr -c 'a-z0-9.\n' '-')
	if [ ! -f "$cache/done" ]; then
		mkdir -p "$cache"
		local flags=(--target "$target" --crate-type rlib -C opt-level=3 -C panic=abort -C debuginfo=0 -C codegen-units=1
			-C embed-bitcode=no --cap-lints allow --out-dir "$cache" -L "$cache"
			--remap-path-prefix "$(realpath "$lib")=library" -Z force-unstable-if-unmarked)
		RUSTC_BOOTSTRAP=1 "$rustc" --edition 2024 --crate-name core "${flags[@]}" "$lib/core/src/lib.rs" >&2
		RUSTC_BOOTSTRAP=1 "$rustc" --edition 2024 --crate-name compiler_builtins "${flags[@]}" \
			--cfg 'feature="compiler-builtins"' --cfg 'feature="mem"' --cfg 'feature="unmangled-names"' \
			--extern "core=$cache/libcore.rlib" \
			"$lib/compiler-builtins/compiler-builtins/src/lib.rs" >&2
		touch "$cache/done"
	fi
	echo "$cache"
}

rustc=
extra=()
for r in ${RUSTC:-rustc /usr/bin/rustc}; do
	if works "$r"; then
		rustc=$r
		break
	fi
done
if [ -z "$rustc" ]; then
	for r in ${RUSTC:-rustc /usr/bin/rustc}; do
		command -v "$r" >"$tmp/which" || continue
		ld=$(command -v ${WASM_LD:-wasm-ld wasm-ld-22 wasm-ld-21 wasm-ld-20 wasm-ld-19} | head -1) || true
		[ -n "$ld" ] || continue
		cache=$(core "$r") || continue
		rustc=$r
		extra=(-L "$cache" -C "linker=$ld" -C linker-flavor=wasm-ld)
		export RUSTC_BOOTSTRAP=1
		break
	done
fi
if [ -z "$rustc" ]; then
	echo "no Rust for $target: run 'rustup target add $target', or install Debian's rustc-web, rust-web-src and lld" >&2
	exit 3
fi

if [ "${1:-}" = --version ]; then
	"$rustc" -V | cut -d ' ' -f 1,2
	exit
fi
src=$(realpath "${1:?usage: build.sh SRC OUT}")
out=$(realpath -m "${2:?usage: build.sh SRC OUT}")
common+=(--remap-path-prefix "$(dirname "$src")=src")

"$rustc" "${common[@]}" "${extra[@]}" --crate-name revurb --crate-type rlib --out-dir "$tmp" "$here/src/lib.rs"
"$rustc" "${common[@]}" "${extra[@]}" --crate-name plugin --crate-type cdylib --extern "revurb=$tmp/librevurb.rlib" \
	-L "$tmp" -C link-arg=-zstack-size=65536 -C link-arg=--strip-all -o "$tmp/plugin.wasm" "$src"
mv "$tmp/plugin.wasm" "$out"
