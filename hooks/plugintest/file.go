package plugintest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/revurb/revurb/hooks/abi"
)

// Suite is the cases of one file.
type Suite struct {
	Path     string   `toml:"-"`
	Defaults Defaults `toml:"defaults"`
	Cases    []Case   `toml:"case"`
}

// Defaults are what the cases of a suite have in common.
type Defaults struct {
	App          string         `toml:"app"`
	Secret       string         `toml:"secret"`
	Apps         []string       `toml:"apps"`
	Capabilities []string       `toml:"capabilities"`
	Now          time.Time      `toml:"now"`
	Seed         int64          `toml:"seed"`
	Config       map[string]any `toml:"config"`
	Replace      bool           `toml:"replace"`
}

// Case is one thing that happens, and what the plugin is to make of it.
type Case struct {
	Name    string         `toml:"name"`
	Hook    string         `toml:"hook"`
	Now     time.Time      `toml:"now"`
	Seed    *int64         `toml:"seed"`
	Config  map[string]any `toml:"config"`
	Replace *bool          `toml:"replace"`
	Repeat  int            `toml:"repeat"`
	Event   Event          `toml:"event"`
	Client  Client         `toml:"client"`
	KV      map[string]any `toml:"kv"`
	Want    Want           `toml:"want"`
}

// Event is what happens.
type Event struct {
	App      string   `toml:"app"`
	Channel  string   `toml:"channel"`
	SocketID string   `toml:"socket_id"`
	UserID   string   `toml:"user_id"`
	Event    string   `toml:"event"`
	Data     *string  `toml:"data"`
	Auth     string   `toml:"auth"`
	Flags    []string `toml:"flags"`
}

// Client is to whom it happens.
type Client struct {
	Origin      string `toml:"origin"`
	RemoteIP    string `toml:"remote_ip"`
	Query       string `toml:"query"`
	UserInfo    string `toml:"user_info"`
	Subscribers int    `toml:"subscribers"`
}

// Want is what the plugin is to decide and to do. What is not there is not
// looked at.
type Want struct {
	Status   string         `toml:"status"`
	Code     *int           `toml:"code"`
	Message  *string        `toml:"message"`
	Event    *string        `toml:"event"`
	Data     *string        `toml:"data"`
	UserID   *string        `toml:"user_id"`
	UserInfo *string        `toml:"user_info"`
	Log      []string       `toml:"log"`
	Publish  []Published    `toml:"publish"`
	KV       map[string]any `toml:"kv"`
	Failure  string         `toml:"failure"`
	FuelMax  int64          `toml:"fuel_max"`
}

// Published is an event that the plugin publishes.
type Published struct {
	Channel string `toml:"channel"`
	Event   string `toml:"event"`
	Data    string `toml:"data"`
}

// Flags are the flags of an event by their names.
var flags = map[string]abi.Flag{
	"api": abi.FromAPI, "batch": abi.InBatch, "cache": abi.CacheEvent, "unsigned": abi.Unsigned, "came": abi.Came,
}

// Find returns the files that match patterns, in order. A pattern that matches
// nothing is an error.
func Find(patterns ...string) (paths []string, err error) {
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, fmt.Errorf("find cases: %w", err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no cases in %s", p)
		}
		paths = append(paths, found...)
	}
	return paths, nil
}

// Read reads a file of cases, and checks all that can be checked without the
// plugin.
func Read(path string) (*Suite, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	s := &Suite{Path: path}
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(s); err != nil {
		return nil, describe(path, err)
	}
	if len(s.Cases) == 0 {
		return nil, fmt.Errorf("%s: it has no [[case]]", path)
	}
	for i := range s.Cases {
		if err := s.Cases[i].check(); err != nil {
			return nil, fmt.Errorf("%s: case %d %q: %w", path, i+1, s.Cases[i].Name, err)
		}
	}
	return s, nil
}

// ReadConfig reads a file of TOML with what a plugin is configured with.
func ReadConfig(path string) (config map[string]any, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the config: %w", err)
	}
	if err := toml.Unmarshal(b, &config); err != nil {
		return nil, describe(path, err)
	}
	return config, nil
}

// describe says where in the file something is wrong.
func describe(path string, err error) error {
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		var all []error
		for _, e := range unknown.Errors {
			row, _ := e.Position()
			all = append(all, fmt.Errorf("%s:%d: unknown key %q%s", path, row, strings.Join(e.Key(), "."), meant(e.Key())))
		}
		return errors.Join(all...)
	case errors.As(err, &wrong):
		row, _ := wrong.Position()
		return fmt.Errorf("%s:%d: %w", path, row, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (c *Case) check() error {
	hook, ok := abi.ParseHook(c.Hook)
	switch {
	case c.Name == "":
		return errors.New("it has no name")
	case !ok:
		return fmt.Errorf("hook = %q: want one of %s", c.Hook, strings.Join(abi.Names(), ", "))
	case c.Repeat < 0:
		return errors.New("repeat is less than 0")
	}
	for _, f := range c.Event.Flags {
		if _, ok := flags[f]; !ok {
			return fmt.Errorf("flag %q: want api, batch, cache, unsigned or came", f)
		}
	}
	if err := errors.Join(checkKept("kv", c.KV), checkKept("want.kv", c.Want.KV)); err != nil {
		return err
	}
	return c.Want.check(hook)
}

func (w *Want) check(h abi.Hook) error {
	if w.Status != "" {
		if _, ok := abi.ParseStatus(w.Status); !ok {
			return fmt.Errorf("want.status = %q: want continue, allow, deny, replace or drop", w.Status)
		}
	}
	switch {
	case w.Failure != "" && w.Status != "":
		return errors.New("a plugin that fails has no status: want either failure or status")
	case w.Failure == "" && w.Status == "" && h.Decides():
		return fmt.Errorf("want.status is missing: %s decides", h)
	case w.Failure == "" && w.Status == "" && len(w.Log)+len(w.Publish)+len(w.KV) == 0:
		return errors.New("it wants nothing: set log, publish, kv or failure in [case.want]")
	}
	return nil
}

// kept returns what value is as bytes: a text as it is, a number as kv_incr keeps
// it.
func kept(value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return []byte(v), nil
	case int64:
		return abi.Int(uint64(v)), nil
	}
	return nil, fmt.Errorf("%v: want a text, or a whole number for a counter", value)
}

func checkKept(table string, m map[string]any) error {
	for key, value := range m {
		if _, err := kept(value); err != nil {
			return fmt.Errorf("%s.%q = %w", table, key, err)
		}
	}
	return nil
}
