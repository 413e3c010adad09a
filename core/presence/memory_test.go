package presence_test

import (
	"testing"

	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/presence/presencetest"
)

func TestMemory(t *testing.T) {
	presencetest.Run(t, func(*testing.T) presence.Members { return new(presence.Memory) })
}
