package listen

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// unixMode lets the owner and the group connect: run a proxy in the group of
// the server. Until it is set, the socket has what the umask leaves, which by
// custom is the owner alone.
const unixMode = 0o660

// Errors of what is already at the path of a socket.
var (
	errNoSocket = errors.New("there is already a file of this name that is no socket: remove it, or choose another name for unix_socket")
	errLive     = errors.New("another server listens there: stop it, or choose another name for unix_socket")
)

// openUnix listens on a socket at path, which is there as long as the listener.
// A socket that a dead server has left is removed.
func openUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := clearStale(ctx, path); err != nil {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	u := &unixListener{UnixListener: ln.(*net.UnixListener), path: path}
	u.SetUnlinkOnClose(false) // by the path alone, whoever's socket it is by then
	u.close = sync.OnceValue(u.remove)
	if err := os.Chmod(path, unixMode); err != nil {
		_ = u.UnixListener.Close()
		return nil, err
	}
	if u.file, err = os.Lstat(path); err != nil {
		_ = u.UnixListener.Close()
		return nil, err
	}
	return u, nil
}

// clearStale removes a socket that nobody listens on.
func clearStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errNoSocket
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = c.Close()
		return errLive
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.EAGAIN):
		return errLive // it does not keep up
	}
	return err
}

type unixListener struct {
	*net.UnixListener
	path  string
	file  fs.FileInfo
	close func() error
}

func (u *unixListener) Close() error { return u.close() }

// remove stops listening. The file goes first, so that nobody finds a socket
// that is about to refuse; if it is no longer ours, it stays.
func (u *unixListener) remove() error {
	if now, err := os.Lstat(u.path); err == nil && os.SameFile(now, u.file) {
		_ = os.Remove(u.path)
	}
	return u.UnixListener.Close()
}
