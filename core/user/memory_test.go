package user_test

import (
	"testing"

	"github.com/revurb/revurb/core/user"
	"github.com/revurb/revurb/core/user/usertest"
)

func TestMemory(t *testing.T) {
	usertest.Run(t, func(*testing.T) user.Users { return new(user.Memory) })
}
