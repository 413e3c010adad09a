package redis

import (
	"context"
	"slices"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/user"
)

// Users is the user.Users of a node. A user who has signed in is a member of the
// topic on which those hear of it who watch it.
type Users struct{ *Node }

var _ user.Users = Users{}

// Users returns the node as the users who have signed in.
func (n *Node) Users() Users { return Users{n} }

func watchTopic(u user.User) string {
	return topicKey(channel.Topic{App: u.App, Channel: channel.WatchPrefix + u.ID})
}

// SignIn implements user.Users.
func (us Users) SignIn(ctx context.Context, u user.User, socketID string) (bool, error) {
	version, err := us.come(ctx, watchTopic(u), socketID, socketID, presence.Member{UserID: u.ID}, 0)
	return version > 0, err
}

// SignOut implements user.Users.
func (us Users) SignOut(ctx context.Context, u user.User, socketID string) (bool, error) {
	key := watchTopic(u)
	p := us.part(key)
	_, said := p.leave(member{key, u.ID}, socketID)
	return wasLast(ctx, said)
}

// Online implements user.Users.
func (us Users) Online(ctx context.Context, app string, ids []string) ([]string, error) {
	pipe := us.state.Pipeline()
	cmds := make([]interface{ Result() (bool, error) }, len(ids))
	for i, id := range ids {
		key := watchTopic(user.User{App: app, ID: id})
		cmds[i] = pipe.HExists(ctx, us.part(key).prefix+":p:"+key, "c\x00"+id)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, absent(err)
	}
	var there []string
	for i, id := range ids {
		if ok, _ := cmds[i].Result(); ok {
			there = append(there, id)
		}
	}
	return there, nil
}

// Watching implements hub.Cluster: it calls enter with those of ids who are
// signed in, between two changes that are told.
func (n *Node) Watching(ctx context.Context, app string, ids []string, enter func(there []string)) {
	topics := make([]string, len(ids))
	for i, id := range ids {
		topics[i] = watchTopic(user.User{App: app, ID: id})
	}
	for _, topic := range topics {
		n.replicas.wait(ctx, topic, func(c *replica) bool { return c.loaded })
	}
	n.replicas.mu.Lock()
	defer n.replicas.mu.Unlock()
	var there []string
	for i, id := range ids {
		c := n.replicas.open(topics[i])
		c.given = true
		if c.users[id] != nil && !slices.Contains(there, id) {
			there = append(there, id)
		}
	}
	enter(there)
}
