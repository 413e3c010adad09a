package cluster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/redis/redistest"
)

// A session is a connection on which a user signs in.
type session struct {
	conn   *client.Conn
	signed chan struct{} // closed when the user is signed in
	done   chan struct{} // closed when the connection has ended
}

// signIn connects to a node and signs in.
func signIn(t *testing.T, n *node, user string) *session {
	t.Helper()
	conn, err := client.Dial(t.Context(), "ws://127.0.0.1:"+n.port+"/app/main-key?protocol=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{conn: conn, signed: make(chan struct{}), done: make(chan struct{})}
	go s.read(user)
	t.Cleanup(func() {
		_ = conn.Close()
		<-s.done
	})
	return s
}

func (s *session) read(user string) {
	defer close(s.done)
	for {
		f, err := s.conn.Read()
		if err != nil || f.Opcode == client.OpClose {
			return
		}
		var m message
		if f.Opcode != client.OpText || json.Unmarshal(f.Payload, &m) != nil {
			continue
		}
		switch m.Event {
		case "pusher:connection_established":
			if s.ask(m.Data, user) != nil {
				return
			}
		case "pusher:signin_success":
			close(s.signed)
		}
	}
}

// ask asks to be user.
func (s *session) ask(established json.RawMessage, user string) error {
	var text string
	var hello struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal(established, &text); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), &hello); err != nil {
		return err
	}
	data := fmt.Sprintf(`{"id":%q}`, user)
	b, err := json.Marshal(map[string]any{"event": "pusher:signin", "data": map[string]string{
		"user_data": data, "auth": client.UserAuth("main-key", "main-secret", hello.SocketID, data),
	}})
	if err != nil {
		return err
	}
	return s.conn.Write(client.Text(string(b)))
}

// within reports whether c is closed in time.
func within(limit time.Duration, c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-time.After(limit):
		return false
	}
}

// TestTerminateWhileReconnecting terminates a user at one node while it signs in
// at another: all sessions that there were are closed, and the one that was on its
// way is closed or sound: the next time it is closed.
func TestTerminateWhileReconnecting(t *testing.T) {
	const limit = 20 * time.Second
	r := redistest.Start(t)
	nodes := startNodes(t, 3, func(int) string { return fmt.Sprintf("url = %q", r.URL()) })
	f := startFeed(t, nil, nil)
	f.urls = []string{"http://127.0.0.1:" + nodes[2].port}
	early, alive := 0, 0
	for round := range 20 {
		user := fmt.Sprint("u", round)
		var before []*session
		for _, n := range nodes {
			s := signIn(t, n, user)
			if !within(limit, s.signed) {
				t.Fatal("nobody can sign in")
			}
			before = append(before, s)
		}
		terminate := func() {
			status, problem := f.post(0, "/users/"+user+"/terminate_connections", map[string]any{})
			if status != http.StatusOK {
				t.Errorf("terminating is answered with %d %s", status, problem)
			}
		}
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			terminate()
		}()
		racing := signIn(t, nodes[round%2], user)
		<-answered
		for i, s := range before {
			if !within(limit, s.done) {
				t.Fatalf("round %d: a session on node %d stays", round, i)
			}
		}
		select {
		case <-racing.done:
			early++
			continue
		case <-racing.signed:
			alive++
		case <-time.After(limit):
			t.Fatalf("round %d: who signs in meanwhile is neither signed in nor closed", round)
		}
		terminate()
		if !within(limit, racing.done) {
			t.Fatalf("round %d: a session that began meanwhile cannot be terminated", round)
		}
	}
	t.Logf("%d sessions that began meanwhile were closed, %d stayed", early, alive)
}
