package redistest

import (
	"bufio"
	"net"
	"strings"
	"sync"
)

// refused is one connection through a refuser. One command after the other is
// passed on and answered, so that a refusal takes its place among the replies.
type refused struct {
	r              *Refuser
	client, server net.Conn
	// replied has a token for each reply of the server to a command that waits.
	replied chan struct{}

	mu sync.Mutex // guards what follows, and writing to client
	// loose is whether messages of subscriptions look like replies, as in RESP2:
	// nobody waits for replies any more.
	loose bool
	resp3 bool
}

func newRefused(r *Refuser, client, server net.Conn) *refused {
	return &refused{r: r, client: client, server: server, replied: make(chan struct{}, 1)}
}

func (c *refused) close() {
	_ = c.client.Close()
	_ = c.server.Close()
}

func (c *refused) run() {
	var wg sync.WaitGroup
	wg.Go(c.replies)
	c.commands()
	c.close()
	wg.Wait()
}

// commands passes on what the client sends, until either end closes.
func (c *refused) commands() {
	in := bufio.NewReader(c.client)
	for {
		args, raw, err := readCommand(in)
		if err != nil || len(args) == 0 {
			return
		}
		if reply, refuse := c.r.verdict(args); refuse {
			if c.tell([]byte("-"+reply+"\r\n")) != nil {
				return
			}
			continue
		}
		waits := c.expects(args)
		if _, err := c.server.Write(raw); err != nil {
			return
		}
		if waits {
			if _, ok := <-c.replied; !ok {
				return
			}
		}
	}
}

// expects notes what a command does to the connection, and reports whether it
// has a reply to wait for.
func (c *refused) expects(args []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch strings.ToUpper(args[0]) {
	case "HELLO":
		c.resp3 = c.resp3 || len(args) > 1 && args[1] == "3"
	case "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE":
		c.loose = c.loose || !c.resp3
		return false // they are answered with messages
	}
	return !c.loose
}

// replies passes on what the server says.
func (c *refused) replies() {
	defer c.close()
	defer close(c.replied)
	in := bufio.NewReader(c.server)
	for {
		raw, err := readReply(in)
		if err != nil || c.tell(raw) != nil {
			return
		}
		if c.answers(raw) {
			select {
			case c.replied <- struct{}{}:
			default: // a refused SUBSCRIBE, for which nobody has waited
			}
		}
	}
}

// answers reports whether raw is the reply that commands waits for.
func (c *refused) answers(raw []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.loose && raw[0] != '>'
}

func (c *refused) tell(raw []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.client.Write(raw)
	return err
}
