package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/loader"
)

// pluginRules are the rules of the keys of plugins.
var pluginRules = map[string]rule{
	"plugins.name":         texts(checkPluginName),
	"plugins.path":         texts(notEmpty),
	"plugins.sha256":       texts(checkSHA256),
	"plugins.apps":         someApps,
	"plugins.hooks":        each(checkHook),
	"plugins.channels":     each(checkPluginPattern),
	"plugins.messages":     oneOf("all", "client", "api"),
	"plugins.capabilities": each(checkCapability),

	"plugins.authorize.mode": oneOf("check", "replace"),

	"plugins.on_error.on_connect":   onError,
	"plugins.on_error.authorize":    onError,
	"plugins.on_error.on_signin":    onError,
	"plugins.on_error.on_subscribe": onError,
	"plugins.on_error.on_message":   onError,

	"plugins.limits.memory":         pages,
	"plugins.limits.pool":           between(0, 1024),
	"plugins.limits.deadline":       atLeast(100 * time.Microsecond),
	"plugins.limits.start_deadline": atLeast(time.Millisecond),
	"plugins.limits.binary":         sized(8, 1<<30),
	"plugins.limits.output":         sized(64, 1<<30),
	"plugins.limits.kv":             sized(0, 1<<40),
}

var onError = oneOf("deny", "allow", "skip")

// pluginName is what stands in logs and as a label of metrics.
var pluginName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func checkPluginName(s string) error {
	if !pluginName.MatchString(s) {
		return fmt.Errorf("%q is not a name such as moderation-2; use up to 64 letters, digits and -._, the first of them a letter or a digit", s)
	}
	return nil
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("it is empty")
	}
	return nil
}

var sha256Sum = regexp.MustCompile(`^([0-9A-Fa-f]{64})?$`)

func checkSHA256(s string) error {
	if !sha256Sum.MatchString(s) {
		return fmt.Errorf("%q is not a SHA-256, which has 64 hexadecimal digits, as sha256sum prints it", s)
	}
	return nil
}

func someApps(v any) error {
	if len(v.([]string)) == 0 {
		return errors.New(`it is empty, so the plugin has nothing to do; write ["*"] for all apps, or enabled = false`)
	}
	return each(notEmpty)(v)
}

// checkPluginPattern takes the characters that channels may have, and the star.
func checkPluginPattern(s string) error {
	if s == "" {
		return errors.New(`"" matches no channel; leave the list empty for all`)
	}
	for _, r := range s {
		if !alphanumeric(r) && !strings.ContainsRune("*_-=@,.;#", r) {
			return fmt.Errorf("%q would match no channel, for none has the character %q; the one special character is *, which stands for any characters", s, r)
		}
	}
	return nil
}

// otherNames are what other versions of a hook, or other servers, call one.
var otherNames = map[string]abi.Hook{
	"on_client_event": abi.OnMessage,
	"on_publish":      abi.OnMessage,
	"on_authorize":    abi.Authorize,
	"on_auth":         abi.Authorize,
	"on_unsubscribe":  abi.OnUnsubscribed,
	"on_tick":         abi.Tick,
}

func checkHook(s string) error {
	if _, ok := abi.ParseHook(s); ok {
		return nil
	}
	if h, ok := otherNames[s]; ok {
		return fmt.Errorf("%q is not a hook; did you mean %q?", s, h)
	}
	return oneOf(abi.Names()...)(s)
}

func checkCapability(s string) error {
	_, err := loader.Grants([]string{s})
	if pattern, ok := strings.CutPrefix(s, "publish:"); ok && pattern != "" {
		return checkPluginPattern(pattern)
	}
	if err == nil || strings.HasPrefix(s, "publish") {
		return err
	}
	return oneOf(loader.Capabilities...)(s)
}

// sized is for sizes of least to most bytes.
func sized(least, most loader.Size) rule {
	return func(v any) error {
		switch n := v.(loader.Size); {
		case n < least:
			return fmt.Errorf("%s is too small; the least is %s", formatSize(n), formatSize(least))
		case n > most:
			return fmt.Errorf("%s is too large; the most is %s", formatSize(n), formatSize(most))
		}
		return nil
	}
}

// pages is for memory, which WASM has in pages, up to as much as 32 bits reach.
func pages(v any) error {
	const page = 64 << 10
	if n := v.(loader.Size); n%page != 0 {
		return fmt.Errorf("%s is not a multiple of 64KiB, which is a page; %s would do", strconv.FormatInt(int64(n), 10), formatSize((n/page+1)*page))
	}
	return sized(page, 4<<30)(v)
}

func ruleOf(name string) (rule, bool) {
	if r, ok := pluginRules[name]; ok {
		return r, true
	}
	r, ok := rules[name]
	return r, ok
}
