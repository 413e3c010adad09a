package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/wasm"
)

// Capabilities are the names of what a plugin can be granted; publish comes with
// a pattern of channels.
var Capabilities = []string{"log", "config", "kv", "hmac", "clock", "random", "publish:PATTERN"}

// AllCapabilities grant everything.
func AllCapabilities() []string {
	return []string{"log", "config", "kv", "hmac", "clock", "random", "publish:*"}
}

// named returns c with a name, if it has none: that of the file.
func (c Config) named() Config {
	if c.Name == "" {
		c.Name = strings.TrimSuffix(filepath.Base(c.Path), ".wasm")
	}
	return c
}

// Grants returns what capabilities grant.
func Grants(capabilities []string) (g wasm.Grants, err error) {
	for _, name := range capabilities {
		pattern, publish := strings.CutPrefix(name, "publish:")
		switch {
		case publish && pattern != "":
			g.Publish = append(g.Publish, pattern)
		case name == "log":
			g.Log = true
		case name == "config":
			g.Config = true
		case name == "kv":
			g.KV = true
		case name == "hmac":
			g.HMAC = true
		case name == "clock":
			g.Clock = true
		case name == "random":
			g.Random = true
		case name == "publish", publish:
			return g, errors.New(`capability "publish" says no channels: write "publish:PATTERN", such as "publish:chat-*"`)
		default:
			return g, fmt.Errorf("capability %q is none of %s", name, strings.Join(Capabilities, ", "))
		}
	}
	return g, nil
}

// options returns what the plugin is loaded with, but for what all have in
// common.
func (c Config) options() (o wasm.Options, err error) {
	o = wasm.Options{
		Name: c.Name,
		Apps: c.Apps,
		Limits: wasm.Limits{
			Binary: int(c.Limits.Binary), Memory: int(c.Limits.Memory), Output: int(c.Limits.Output),
			Pool: c.Limits.Pool, Call: c.Limits.Deadline, Start: c.Limits.StartDeadline,
		},
	}
	if o.Grants, err = Grants(c.Capabilities); err != nil {
		return o, err
	}
	if o.Config, err = json.Marshal(c.Config); err != nil {
		return o, fmt.Errorf("make JSON of its config: %w", err)
	}
	if len(c.Config) == 0 {
		o.Config = []byte("{}")
	}
	return o, nil
}

// The values of on_error, messages and authorize.mode.
var (
	policies = map[string]hooks.Policy{"": hooks.FailDeny, "deny": hooks.FailDeny, "allow": hooks.FailAllow, "skip": hooks.FailSkip}
	sources  = map[string]hooks.Source{"": hooks.AllMessages, "all": hooks.AllMessages, "client": hooks.ClientMessages, "api": hooks.APIMessages}
	modes    = map[string]bool{"": false, "check": false, "replace": true}
)

// entry returns the place of the plugin among the others.
func (c Config) entry(p *wasm.Plugin) (e hooks.Entry, err error) {
	var ok bool
	e = hooks.Entry{Plugin: p, Apps: c.Apps, Channels: c.Channels}
	if e.Messages, ok = sources[c.Messages]; !ok {
		return e, fmt.Errorf("messages = %q: want \"all\", \"client\" or \"api\"", c.Messages)
	}
	if e.Replace, ok = modes[c.Authorize.Mode]; !ok {
		return e, fmt.Errorf("authorize.mode = %q: want \"check\" or \"replace\"", c.Authorize.Mode)
	}
	for h, text := range map[abi.Hook]string{
		abi.OnConnect: c.OnError.OnConnect, abi.Authorize: c.OnError.Authorize, abi.OnSignin: c.OnError.OnSignin,
		abi.OnSubscribe: c.OnError.OnSubscribe, abi.OnMessage: c.OnError.OnMessage,
	} {
		if e.OnError[h], ok = policies[text]; !ok {
			return e, fmt.Errorf("on_error.%s = %q: want \"deny\", \"allow\" or \"skip\"", h, text)
		}
	}
	if e.OnError[abi.Authorize] == hooks.FailAllow {
		switch {
		case e.Replace:
			return e, errors.New(`on_error.authorize = "allow" with authorize.mode = "replace" would let everyone in while the plugin fails`)
		case !c.Authorize.AllowFailOpen:
			return e, errors.New(`on_error.authorize = "allow" lets clients in unchecked while the plugin fails: set authorize.allow_fail_open = true if that is what you want`)
		}
	}
	for _, name := range c.Hooks {
		h, ok := abi.ParseHook(name)
		if !ok {
			return e, fmt.Errorf("hook %q is none of %s", name, strings.Join(abi.Names(), ", "))
		}
		if !p.Handles(h) {
			return e, fmt.Errorf("it has no %s; it has %s", h, hookNames(p.Info().Hooks))
		}
		e.Hooks = append(e.Hooks, h)
	}
	if e.Replace && (!p.Handles(abi.Authorize) || len(e.Hooks) > 0 && !slices.Contains(e.Hooks, abi.Authorize)) {
		return e, errors.New(`authorize.mode = "replace" is for a plugin that has authorize`)
	}
	return e, nil
}

func hookNames(all []abi.Hook) string {
	if len(all) == 0 {
		return "none"
	}
	names := make([]string, len(all))
	for i, h := range all {
		names[i] = h.String()
	}
	return strings.Join(names, ", ")
}
