package conformance

import (
	"fmt"
	"slices"
	"time"
)

var needsControl = []Capability{CapMultiNode, CapNodeControl}

// clusterFaultCases are what a cluster does when one of its nodes fails. They
// stop and start the last node, each in its turn.
var clusterFaultCases = []Case{
	{
		ID: "cluster.fault.survivors", Title: "a node that dies disturbs nobody else", Level: Must, Serial: true, Heavy: true, Source: srcCluster, Needs: needsControl,
		Requirement: "While a node is dead, clients of the other nodes stay connected, and every event reaches each of them once and in order.",
		Run: func(t *T) {
			t.patient()
			room, dying := t.Name("room-"), t.lastNode()
			a, b := t.Connect(), t.ConnectTo(Dialing{Node: dying - 1})
			a.Subscribe(room)
			b.Subscribe(room)
			t.ConnectTo(Dialing{Node: dying}).Subscribe(room)
			t.Defer(func() { t.control("start", dying) })
			t.control("kill", dying)
			for i := range 50 {
				data := fmt.Sprint(i)
				t.publishAt(i%dying, Publishing{Name: "e", Channel: room, Data: data})
				a.ExpectData("e", room, data)
				b.ExpectData("e", room, data)
			}
		},
	},
	{
		ID: "cluster.fault.back", Title: "a node that has died comes back", Level: Must, Serial: true, Heavy: true, Source: srcCluster, Needs: append([]Capability{CapPresence}, needsControl...),
		Requirement: "A node that is started again after it was killed takes part as before: its clients see the members of the others, and get their events, and the others those of its clients.",
		Run: func(t *T) {
			t.patient()
			room, dying := t.Name("presence-"), t.lastNode()
			a := t.Connect()
			a.SubscribePresence(room, "a")
			t.control("kill", dying)
			t.control("start", dying)
			b := t.ConnectTo(Dialing{Node: dying})
			t.ExpectMembers(b.SubscribePresence(room, "b"), "a", "b")
			a.ExpectMember("member_added", room, "b")
			for node := range t.Target.URLs {
				t.publishAt(node, Publishing{Name: "e", Channel: room, Data: fmt.Sprint(node)})
				a.ExpectData("e", room, fmt.Sprint(node))
				b.ExpectData("e", room, fmt.Sprint(node))
			}
		},
	},
	{
		ID: "cluster.fault.zombie", Title: "a node that was taken for dead is one again", Level: Should, Serial: true, Timing: true, Heavy: true, Source: srcCluster,
		Needs:       append([]Capability{CapPresence}, needsControl...),
		Requirement: "The members of a node that is stopped for longer than it may be leave once; when it goes on with its connections open, they are back, once, and get events as before.",
		Run: func(t *T) {
			t.patient()
			room, node := t.Name("presence-"), t.lastNode()
			witness, sleeper := t.Connect(), t.ConnectTo(Dialing{Node: node})
			witness.SubscribePresence(room, "witness")
			sleeper.SubscribePresence(room, "sleeper")
			witness.ExpectMember("member_added", room, "sleeper")
			awake := false
			wake := func() {
				if !awake {
					awake = true
					t.control("cont", node)
				}
			}
			t.Defer(wake)
			t.control("stop", node)
			witness.ExpectMember("member_removed", room, "sleeper")
			wake()
			witness.ExpectMember("member_added", room, "sleeper")
			// What is published before it listens again is not kept for it.
			published := 0
			t.Eventually("an event reaches the clients of the node that goes on", func() bool {
				published++
				t.publishAt(0, Publishing{Name: "e", Channel: room, Data: fmt.Sprint(published)})
				return slices.ContainsFunc(sleeper.Fence(), func(m Message) bool { return m.Event == "e" })
			})
			for i := range published {
				witness.ExpectData("e", room, fmt.Sprint(i+1))
			}
			t.ExpectNothingOn(witness, room, "who is back has come once")
			t.Field(t.getAt(0, "/channels/"+room, "info", "user_count"), "user_count").is(2)
		},
	},
	{
		ID: "cluster.fault.restart", Title: "a node that is restarted is not told of", Level: Should, Reverb: May, Serial: true, Timing: true, Heavy: true, Source: srcWebhooks + ": delayed events",
		Needs:       append([]Capability{CapPresence, CapWebhooks}, needsControl...),
		Requirement: "When a node drains, and its clients are on another within 3 seconds, the backend is told neither that they have left nor that they have come.",
		Run: func(t *T) {
			room, node := t.Name("presence-"), t.lastNode()
			a := t.ConnectTo(Dialing{Node: node})
			a.SubscribePresence(room, "a")
			t.AwaitWebhook("channel_occupied", room, 1)
			t.AwaitWebhook("member_added", room, 1)
			t.Defer(func() { t.control("start", node) })
			var b *Conn
			t.Concurrently(2, func(i int) {
				if i == 0 {
					t.control("drain", node)
					return
				}
				a.ExpectClose()
				b = t.Connect()
				b.SubscribePresence(room, "a")
			})
			t.Pass(4*time.Second + t.Target.Quiet)
			for name, n := range map[string]int{"channel_occupied": 1, "member_added": 1, "channel_vacated": 0, "member_removed": 0} {
				t.expectCount(name, room, n)
			}
			b.Drop()
			t.AwaitWebhook("channel_vacated", room, 1)
			t.AwaitWebhook("member_removed", room, 1)
		},
	},
}

// lastNode is the node that is stopped and started. The HTTP API is at another.
func (t *T) lastNode() int { return len(t.Target.URLs) - 1 }
