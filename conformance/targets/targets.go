// Package targets describes servers: what each of them claims to do, what its
// limits are, and which cases it is known to fail. A description is a TOML
// file; those of servers that many know are embedded.
package targets

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/revurb/revurb/conformance"
)

//go:embed *.toml
var files embed.FS

// Description is a target file.
type Description struct {
	Name    string `toml:"name"`
	Version string `toml:"version"`
	Dialect string `toml:"dialect"`

	// Source is where the description is from: a run against the server, or
	// its documents alone.
	Source string `toml:"source"`

	// Where it is, and who one is to it. Files that are shared leave it out.
	URLs []string                `toml:"urls"`
	HTTP string                  `toml:"http"`
	App  Credentials             `toml:"app"`
	Apps map[string]*Credentials `toml:"apps"`

	Capabilities map[string]bool `toml:"capabilities"`
	Limits       Limits          `toml:"limits"`

	// Dialects say what is different in another dialect than that of the file.
	Dialects map[string]Difference `toml:"dialects"`

	Known []Known `toml:"known-failing"`
}

// Credentials are those of an app.
type Credentials struct {
	ID     string `toml:"id"`
	Key    string `toml:"key"`
	Secret string `toml:"secret"`
}

// Limits are those of the target; what is left out is what Pusher has, and 0
// is none.
type Limits struct {
	EventData        *int `toml:"event-data"`
	Message          *int `toml:"message"`
	ChannelsPerEvent *int `toml:"channels-per-event"`
	Batch            *int `toml:"batch"`
	EventName        *int `toml:"event-name"`
	ChannelName      *int `toml:"channel-name"`
	PresenceMembers  *int `toml:"presence-members"`
	PresenceMember   *int `toml:"presence-member"`
	UserID           *int `toml:"user-id"`
	ClientEventRate  *int `toml:"client-event-rate"`
}

// Difference is what a dialect changes.
type Difference struct {
	Capabilities map[string]bool `toml:"capabilities"`
	Limits       Limits          `toml:"limits"`
}

// Known is a failure that is known, in all dialects or in one.
type Known struct {
	ID      string `toml:"id"` // or a pattern
	Reason  string `toml:"reason"`
	Dialect string `toml:"dialect"`
}

// Names are the descriptions that are embedded.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // what is embedded is there
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	return names
}

// Load returns the embedded description with a name, or else that of a file.
func Load(nameOrFile string) (*Description, error) {
	text, err := files.ReadFile(nameOrFile + ".toml")
	if err == nil {
		return Read(nameOrFile+".toml", text)
	}
	text, err = os.ReadFile(nameOrFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("target %q is neither a file nor one of %s", nameOrFile, strings.Join(Names(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("read target: %w", err)
	}
	return Read(nameOrFile, text)
}

// Read reads a description. It refuses names that it does not know.
func Read(name string, text []byte) (*Description, error) {
	d := new(Description)
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(d)
	var unknown *toml.StrictMissingError
	var syntax *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("%s: unknown key:\n%s", name, unknown.String())
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("%s: %w\n%s", name, err, syntax.String())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

func (d *Description) check() error {
	if d.Name == "" {
		return errors.New("name is missing: what the server is called")
	}
	if !dialect(d.Dialect) {
		return fmt.Errorf("dialect is %q, and must be pusher or reverb", d.Dialect)
	}
	if d.Source != "run" && d.Source != "documents" {
		return fmt.Errorf("source is %q, and must be run or documents", d.Source)
	}
	claims := []map[string]bool{d.Capabilities}
	for name, diff := range d.Dialects {
		if !dialect(name) {
			return fmt.Errorf("dialects.%s: there are pusher and reverb", name)
		}
		claims = append(claims, diff.Capabilities)
	}
	for _, m := range claims {
		for name := range m {
			if !slices.ContainsFunc(conformance.Claims, func(c conformance.Claim) bool { return string(c.Capability) == name }) {
				return fmt.Errorf("unknown capability %q: conformance list --capabilities shows all", name)
			}
		}
	}
	for name := range d.Apps {
		if _, ok := conformance.FixtureClaims[conformance.Fixture(name)]; !ok {
			return fmt.Errorf("unknown app %q: there are %s", name, strings.Join(fixtureNames(), ", "))
		}
	}
	for i, k := range d.Known {
		if k.ID == "" || k.Reason == "" {
			return fmt.Errorf("known-failing number %d needs an id and a reason", i+1)
		}
		if k.Dialect != "" && !dialect(k.Dialect) {
			return fmt.Errorf("known-failing %s: dialect is %q, and must be pusher or reverb", k.ID, k.Dialect)
		}
	}
	return nil
}

func dialect(name string) bool {
	return name == string(conformance.Pusher) || name == string(conformance.Reverb)
}

func fixtureNames() (names []string) {
	for f := range conformance.FixtureClaims {
		names = append(names, string(f))
	}
	slices.Sort(names)
	return names
}

// Target is what the description says about the server in dialect d. Where it
// is comes from ParseURLs.
func (d *Description) Target(dialect conformance.Dialect) conformance.Target {
	t := conformance.Target{Dialect: dialect, Limits: conformance.PusherLimits, Apps: map[conformance.Fixture]conformance.Credentials{}}
	claims := maps.Clone(d.Capabilities)
	if claims == nil {
		claims = map[string]bool{}
	}
	d.Limits.apply(&t.Limits)
	if diff, ok := d.Dialects[string(dialect)]; ok {
		maps.Copy(claims, diff.Capabilities)
		diff.Limits.apply(&t.Limits)
	}
	for name, claimed := range claims {
		if claimed {
			t.Capabilities = append(t.Capabilities, conformance.Capability(name))
		}
	}
	slices.Sort(t.Capabilities)
	t.App = conformance.Credentials(d.App)
	for name, c := range d.Apps {
		t.Apps[conformance.Fixture(name)] = conformance.Credentials(*c)
	}
	return t
}

// KnownIn are the known failures in dialect d, with their reasons.
func (d *Description) KnownIn(dialect conformance.Dialect) map[string]string {
	known := map[string]string{}
	for _, k := range d.Known {
		if k.Dialect == "" || k.Dialect == string(dialect) {
			known[k.ID] = k.Reason
		}
	}
	return known
}

func (l Limits) apply(to *conformance.Limits) {
	for _, x := range []struct {
		from *int
		to   *int
	}{
		{l.EventData, &to.EventData},
		{l.Message, &to.Message},
		{l.ChannelsPerEvent, &to.ChannelsPerEvent},
		{l.Batch, &to.Batch},
		{l.EventName, &to.EventName},
		{l.ChannelName, &to.ChannelName},
		{l.PresenceMembers, &to.PresenceMembers},
		{l.PresenceMember, &to.PresenceMember},
		{l.UserID, &to.UserID},
		{l.ClientEventRate, &to.ClientEventRate},
	} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
}

// ParseURLs sets where t is: the URLs of ws or wss, and that of the HTTP API,
// which is derived from the first of them if it is "".
func ParseURLs(t *conformance.Target, urls []string, api string) error {
	t.URLs = nil
	for _, raw := range urls {
		u, err := parse(raw, "ws", "wss")
		if err != nil {
			return err
		}
		t.URLs = append(t.URLs, u)
	}
	if api == "" && len(t.URLs) > 0 {
		derived := *t.URLs[0]
		derived.Scheme = strings.Replace(derived.Scheme, "ws", "http", 1)
		t.HTTP = &derived
		return nil
	}
	var err error
	t.HTTP, err = parse(api, "http", "https")
	return err
}

func parse(raw string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return nil, fmt.Errorf("%q is no URL such as %s://example.com:8080", raw, schemes[0])
	}
	u.Path, u.RawQuery, u.Fragment, u.User = strings.TrimSuffix(u.Path, "/"), "", "", nil
	return u, nil
}
