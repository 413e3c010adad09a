package main

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

// newApp is an app that nobody else has: an ID of 6 digits, a key of 20
// characters and a secret of 130 random bits.
func newApp() (app.App, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(900_000))
	if err != nil {
		return app.App{}, fmt.Errorf("choose an app ID: %w", err)
	}
	a := app.Default(protocol.Pusher)
	a.ID = fmt.Sprint(100_000 + n.Int64())
	a.Key = strings.ToLower(rand.Text()[:20])
	a.Secret = strings.ToLower(rand.Text())
	return a, nil
}
