package wasm

import "strings"

// Trap is why a guest could not go on, in the words of the engine.
type Trap struct{ err error }

// Error returns the reason and the innermost functions, on one line.
func (t *Trap) Error() string {
	const most = 4
	text := t.err.Error()
	reason, trace, _ := strings.Cut(text, "\nwasm stack trace:")
	reason = strings.TrimSuffix(strings.TrimPrefix(reason, "wasm error: "), " (recovered by wazero)")
	var places []string
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "0x") {
			continue
		}
		if len(places) == most {
			places = append(places, "...")
			break
		}
		places = append(places, line)
	}
	if len(places) > 0 {
		reason += " in " + strings.Join(places, " < ")
	}
	return "the plugin has trapped: " + harmless([]byte(reason))
}

func (t *Trap) Unwrap() error { return t.err }
