package config

import (
	"fmt"
	"strings"
)

// Source is where the value of a key comes from: "default",
// "revurb.toml:12", "env REVURB_SERVER_PORT" or "flag --port".
type Source string

// FromDefault is the Source of what nobody has set.
const FromDefault Source = "default"

func fromLine(path string, line int) Source { return Source(fmt.Sprintf("%s:%d", path, line)) }
func fromEnv(name string) Source            { return Source("env " + name) }
func fromFlag(name string) Source           { return Source("flag --" + name) }

// place is the source as an error names it.
func (s Source) place() string {
	_, name, ok := strings.Cut(string(s), " ")
	if ok && (strings.HasPrefix(string(s), "env ") || strings.HasPrefix(string(s), "flag ")) {
		return name
	}
	return string(s)
}

// setting is one key that somebody has set. Its value has the type of the
// key's field.
type setting struct {
	key   *key
	value any
	from  Source
}

// layer is what one place sets. Of two settings of a key the later one counts.
type layer []setting

// last returns the setting of the key called name that counts.
func (l layer) last(name string) (setting, bool) {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].key.name == name {
			return l[i], true
		}
	}
	return setting{}, false
}

// split parts the keys of the server from those of an app.
func (l layer) split() (server, app layer) {
	for _, s := range l {
		if s.key.ofApp() {
			app = append(app, s)
		} else {
			server = append(server, s)
		}
	}
	return server, app
}
