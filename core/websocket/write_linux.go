package websocket

import (
	"syscall"
	"unsafe"
)

// writeNow writes as much of p as the kernel takes at once, which may be
// nothing. The caller makes sure that fd stays open.
//
// The scheduler is not told of the system call. It is over in microseconds, as
// the descriptor is one that does not block, and a fan-out makes thousands of
// them in a row: with the scheduler's bookkeeping they cost a sixth more, and a
// third more when the machine is busy.
func writeNow(fd int, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, errno
		}
	}
}
