package plugin

import "unsafe"

// A guest is called by one caller at a time, and its memory is its own: what
// follows is reused from call to call, so that a call leaves no garbage.
var (
	in    []byte
	out   []byte
	event Event
	reply response
)

func newResponse() *response {
	reply = response{}
	return &reply
}

//go:wasmexport revurb_abi_1
func marker() {}

//go:wasmexport revurb_buffer
func buffer(n uint32) unsafe.Pointer {
	if uint32(len(in)) < n {
		in = make([]byte, n)
	}
	return unsafe.Pointer(unsafe.SliceData(in))
}

//go:wasmexport revurb_configure
func configure(ptr unsafe.Pointer, n uint32) (result uint64) {
	defer failed(&result)
	if onConfigure == nil {
		return statusContinue
	}
	event.frame = unsafe.Slice((*byte)(ptr), n)
	if err := onConfigure(event.field(0)); err != nil {
		return Deny(err.Error()).result()
	}
	return statusContinue
}

// Serve answers a call of a hook. The packages in hook call it.
func Serve(handle func(*Event) Verdict, ptr unsafe.Pointer, n uint32) (result uint64) {
	defer failed(&result)
	event.frame = unsafe.Slice((*byte)(ptr), n)
	return handle(&event).result()
}

// Tell answers a call of a notification. The packages in hook call it.
func Tell(handle func(*Event), ptr unsafe.Pointer, n uint32) (result uint64) {
	defer failed(&result)
	event.frame = unsafe.Slice((*byte)(ptr), n)
	handle(&event)
	return statusContinue
}

// Tick answers a tick. The package hook/tick calls it.
func Tick(handle func()) (result uint64) {
	defer failed(&result)
	handle()
	return statusContinue
}

func (v Verdict) result() uint64 {
	if v.r == nil {
		return uint64(v.status)
	}
	out = v.frame(out[:0])
	return uint64(uintptr(unsafe.Pointer(&out[0])))<<32 | uint64(len(out))
}

// failed makes a panic a failure of the plugin, with its message on standard
// error. It says it in one line: the runtime would write hundreds of times, and
// a trap would hide what was wrong.
func failed(result *uint64) {
	if p := recover(); p != nil {
		writeError(p)
		*result = 0xffffffff // no status, which is a failure
	}
}

func writeError(p any) {
	line := "panic"
	switch p := p.(type) {
	case error:
		line += ": " + p.Error()
	case string:
		line += ": " + p
	}
	line += "\n"
	v := iovec{uint32(uintptr(unsafe.Pointer(unsafe.StringData(line)))), uint32(len(line))}
	var written uint32
	fdWrite(2, unsafe.Pointer(&v), 1, unsafe.Pointer(&written))
}

type iovec struct{ ptr, len uint32 }

//go:wasmimport wasi_snapshot_preview1 fd_write
func fdWrite(fd int32, iovecs unsafe.Pointer, n uint32, written unsafe.Pointer) uint32
