package redistest

import "syscall"

// dieWithParent ends a server even if the test binary is killed, or panics at
// its time limit, and no cleanup runs. It also ends with the thread that started
// it: that matters only to a goroutine that ends with its thread locked.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
