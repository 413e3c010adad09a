package redistest

import "syscall"

// dieWithParent ends a server even if the test binary is killed, or panics at
// its time limit, and no cleanup runs.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
