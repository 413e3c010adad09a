package wasm

import (
	"fmt"
)

// wasiModule is where toolchains import what they need of an operating system.
const wasiModule = "wasi_snapshot_preview1"

// The errors of WASI that there are here.
const (
	wasiBadFile     = 8
	wasiInvalid     = 28
	wasiUnsupported = 52
)

// ExitError is the trap of a guest that calls exit.
type ExitError struct{ Code uint32 }

func (e *ExitError) Error() string { return fmt.Sprintf("the plugin has called exit(%d)", e.Code) }

// wasiFunctions is all of WASI preview 1, so that whatever a toolchain adds to a
// guest can be linked. There are no files and no network: most of it fails.
func wasiFunctions() []function {
	f := func(name, params string, run func(call, []uint64)) function {
		return function{name: name, params: params, results: "i", call: run}
	}
	return []function{
		f("args_get", "ii", succeed),
		f("args_sizes_get", "ii", call.noneOf),
		f("environ_get", "ii", call.environGet),
		f("environ_sizes_get", "ii", call.environSizesGet),
		f("clock_res_get", "ii", call.clockResGet),
		f("clock_time_get", "iIi", call.clockTimeGet),
		f("random_get", "ii", call.random),
		f("sched_yield", "", func(_ call, stack []uint64) { stack[0] = 0 }),
		f("poll_oneoff", "iiii", call.pollOneoff),
		{name: "proc_exit", params: "i", call: func(_ call, stack []uint64) { panic(&ExitError{Code: uint32(stack[0])}) }},
		f("proc_raise", "i", fail(wasiUnsupported)),

		f("fd_write", "iiii", call.fdWrite),
		f("fd_fdstat_get", "ii", call.fdFdstatGet),
		f("fd_advise", "iIIi", fail(wasiBadFile)),
		f("fd_allocate", "iII", fail(wasiBadFile)),
		f("fd_close", "i", fail(wasiBadFile)),
		f("fd_datasync", "i", fail(wasiBadFile)),
		f("fd_fdstat_set_flags", "ii", fail(wasiBadFile)),
		f("fd_fdstat_set_rights", "iII", fail(wasiBadFile)),
		f("fd_filestat_get", "ii", fail(wasiBadFile)),
		f("fd_filestat_set_size", "iI", fail(wasiBadFile)),
		f("fd_filestat_set_times", "iIIi", fail(wasiBadFile)),
		f("fd_pread", "iiiIi", fail(wasiBadFile)),
		f("fd_prestat_get", "ii", fail(wasiBadFile)),
		f("fd_prestat_dir_name", "iii", fail(wasiBadFile)),
		f("fd_pwrite", "iiiIi", fail(wasiBadFile)),
		f("fd_read", "iiii", fail(wasiBadFile)),
		f("fd_readdir", "iiiIi", fail(wasiBadFile)),
		f("fd_renumber", "ii", fail(wasiBadFile)),
		f("fd_seek", "iIii", fail(wasiBadFile)),
		f("fd_sync", "i", fail(wasiBadFile)),
		f("fd_tell", "ii", fail(wasiBadFile)),

		f("path_create_directory", "iii", fail(wasiBadFile)),
		f("path_filestat_get", "iiiii", fail(wasiBadFile)),
		f("path_filestat_set_times", "iiiiIIi", fail(wasiBadFile)),
		f("path_link", "iiiiiii", fail(wasiBadFile)),
		f("path_open", "iiiiiIIii", fail(wasiBadFile)),
		f("path_readlink", "iiiiii", fail(wasiBadFile)),
		f("path_remove_directory", "iii", fail(wasiBadFile)),
		f("path_rename", "iiiiii", fail(wasiBadFile)),
		f("path_symlink", "iiiii", fail(wasiBadFile)),
		f("path_unlink_file", "iii", fail(wasiBadFile)),

		f("sock_accept", "iii", fail(wasiBadFile)),
		f("sock_recv", "iiiiii", fail(wasiBadFile)),
		f("sock_send", "iiiii", fail(wasiBadFile)),
		f("sock_shutdown", "ii", fail(wasiBadFile)),
	}
}

func fail(code uint64) func(call, []uint64) {
	return func(_ call, stack []uint64) { stack[0] = code }
}

func succeed(_ call, stack []uint64) { stack[0] = 0 }

// noneOf is args_sizes_get(count, size): there are none.
func (c call) noneOf(stack []uint64) {
	c.putUint32(stack[0], 0)
	c.putUint32(stack[1], 0)
	stack[0] = 0
}

// The environment has what the runtime of Go reads: that it is to keep its heap
// small, which makes for half the memory and the shortest pauses. Nothing else
// looks for it.
const environ = "GOGC=25\x00"

// environSizesGet is environ_sizes_get(count, size).
func (c call) environSizesGet(stack []uint64) {
	c.putUint32(stack[0], 1)
	c.putUint32(stack[1], uint32(len(environ)))
	stack[0] = 0
}

// environGet is environ_get(pointers, buf).
func (c call) environGet(stack []uint64) {
	c.putUint32(stack[0], uint32(stack[1]))
	copy(c.bytes(stack[1], uint64(len(environ))), environ)
	stack[0] = 0
}
