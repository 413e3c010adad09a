package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/report"
	"github.com/revurb/revurb/conformance/targets"
)

// The variables that have secrets, so that they stand on no command line.
const (
	secretVar  = "REVURB_CONFORMANCE_SECRET"
	secret2Var = "REVURB_CONFORMANCE_APP2_SECRET"
)

// conformanceOptions are the flags of the commands that talk to a server.
type conformanceOptions struct {
	file, api, dialect string
	urls               []string
	id, key, secret    string
	secretFile         string
	id2, key2, secret2 string
	timeout, quiet     time.Duration
	scale              float64
	level, profile     string
	run, skip          []string
	parallel, repeat   int
	shuffle, known     string
	reports            []string
	trace              string
	verbose            bool
	webhooks           string
	baseline           string
	control            string
}

// addTarget adds the flags that say which server it is.
func (o *conformanceOptions) addTarget(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.file, "target", "revurb", "what the server claims to do: "+targetNames()+", or a file")
	f.StringArrayVar(&o.urls, "url", nil, "where it is, as ws://127.0.0.1:8080; once for each node of a cluster")
	f.StringVar(&o.api, "http", "", "where its HTTP API is, if that is elsewhere")
	f.StringVar(&o.id, "app-id", "", "the ID of an app")
	f.StringVar(&o.key, "key", "", "its key")
	f.StringVar(&o.secret, "secret", "", "its secret; "+secretVar+" or --secret-file keeps it to yourself")
	f.StringVar(&o.secretFile, "secret-file", "", "a file with its secret")
	f.StringVar(&o.id2, "app2-id", "", "the ID of a second app, for cases about keeping apps apart")
	f.StringVar(&o.key2, "app2-key", "", "its key")
	f.StringVar(&o.secret2, "app2-secret", "", "its secret, or "+secret2Var)
	f.StringVar(&o.webhooks, "webhook-listen", "", "listen for webhooks here, as 127.0.0.1:9700; without it their cases are skipped")
	f.StringVar(&o.control, "node-control", "", "a command that stops and starts nodes: it is run with drain, start, kill, stop or cont, and the number of a node")
	f.StringVar(&o.dialect, "dialect", "", "whose habits it follows, pusher or reverb; that of the target if it is left out")
	f.DurationVar(&o.timeout, "timeout", 5*time.Second, "for whatever must happen")
	f.Float64Var(&o.scale, "timeout-scale", 1, "multiply all times by this, for a server that is slow or far away")
	f.DurationVar(&o.quiet, "quiet-window", 300*time.Millisecond, "how long to wait for what must not happen, where only time can tell")
	for name, kind := range map[string]string{
		"target": "name", "url": "url", "http": "url", "app-id": "id", "key": "key",
		"secret": "secret", "secret-file": "file", "app2-id": "id", "app2-key": "key", "app2-secret": "secret", "webhook-listen": "address", "node-control": "command", "dialect": "name",
	} {
		if name != "url" { // a list must stay one
			typed(f.Lookup(name), kind)
		}
	}
}

// add adds all flags of a run.
func (o *conformanceOptions) add(cmd *cobra.Command) {
	o.addTarget(cmd)
	f := cmd.Flags()
	f.StringVar(&o.level, "level", "must", "the lowest level whose failures count: must, should or may")
	f.StringVar(&o.profile, "profile", "full", "core leaves out what is a MAY, waits or sends much; hosted what sends much; full nothing")
	f.StringArrayVar(&o.run, "run", nil, "only cases that match, such as SUB-*")
	f.StringArrayVar(&o.skip, "skip", nil, "no cases that match")
	f.IntVar(&o.parallel, "parallel", 8, "cases at a time")
	f.StringVar(&o.shuffle, "shuffle", "", "run in another order: a number that is its seed, or random")
	f.IntVar(&o.repeat, "repeat", 1, "run everything so often")
	f.StringVar(&o.known, "known-failing", "", "a list of cases that fail and are known to; one that passes fails the run")
	f.StringArrayVar(&o.reports, "report", nil, "write a report, as html=report.html: json, junit, md, html or tap")
	f.StringVar(&o.trace, "trace", "failing", "what passed over the wire in reports: of failing cases, all or none")
	f.BoolVar(&o.verbose, "verbose", false, "show every case, and what passed over the wire where one fails")
}

// plan is what the flags come to.
type plan struct {
	info    report.Target
	target  conformance.Target
	known   map[string]string
	cases   []conformance.Case
	seed    uint64
	reports []output
}

// output is a report and where it goes.
type output struct{ kind, path string }

// plan reads the target and checks the flags that say which server it is.
func (o *conformanceOptions) plan(c *cli) (*plan, error) {
	d, err := targets.Load(o.file)
	if err != nil {
		return nil, usagef("%v", err)
	}
	dialect := cmp.Or(o.dialect, d.Dialect)
	if dialect != string(conformance.Pusher) && dialect != string(conformance.Reverb) {
		return nil, usagef("--dialect is pusher or reverb, not %q", dialect)
	}
	if o.timeout <= 0 || o.scale <= 0 || o.quiet <= 0 {
		return nil, usagef("--timeout, --timeout-scale and --quiet-window must be more than 0")
	}
	p := &plan{target: d.Target(conformance.Dialect(dialect)), known: d.KnownIn(conformance.Dialect(dialect))}
	urls := d.URLs
	if len(o.urls) > 0 {
		urls = o.urls
	}
	if len(urls) == 0 {
		return nil, usagef("where is the server? Say it with --url, as --url ws://127.0.0.1:8080")
	}
	if err := targets.ParseURLs(&p.target, urls, cmp.Or(o.api, d.HTTP)); err != nil {
		return nil, usagef("%v", err)
	}
	if err := o.credentials(c, &p.target); err != nil {
		return nil, err
	}
	p.target.Timeout = scaled(o.timeout, o.scale)
	p.target.Quiet = scaled(o.quiet, o.scale)
	if o.webhooks != "" {
		if p.target.Webhooks, err = conformance.NewWebhookReceiver(o.webhooks); err != nil {
			return nil, usagef("--webhook-listen: %v", err)
		}
	}
	if strings.TrimSpace(o.control) != "" {
		p.target.Control = nodeControl(o.control)
	}
	p.target.Settle()
	p.info = report.Target{Name: d.Name, Version: d.Version, Dialect: dialect, URLs: urls, HTTP: p.target.HTTP.String(), AppID: p.target.App.ID}
	for _, capability := range p.target.Capabilities {
		p.info.Capabilities = append(p.info.Capabilities, string(capability))
	}
	return p, nil
}

func scaled(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }

// credentials sets those of the app and of the second one.
func (o *conformanceOptions) credentials(c *cli, t *conformance.Target) error {
	secret := o.secret
	if secret == "" && o.secretFile != "" {
		text, err := os.ReadFile(o.secretFile)
		if err != nil {
			return usagef("--secret-file %s: %v", o.secretFile, reason(err))
		}
		secret = strings.TrimSpace(string(text))
	}
	a := &t.App
	a.ID, a.Key = cmp.Or(o.id, a.ID), cmp.Or(o.key, a.Key)
	a.Secret = cmp.Or(secret, c.getenv(secretVar), a.Secret)
	var missing []string
	for _, x := range []struct{ flag, value string }{{"--app-id", a.ID}, {"--key", a.Key}, {"--secret (or " + secretVar + ")", a.Secret}} {
		if x.value == "" {
			missing = append(missing, x.flag)
		}
	}
	if len(missing) > 0 {
		return usagef("the credentials of an app are wanted: %s", strings.Join(missing, ", "))
	}
	second := conformance.Credentials{ID: o.id2, Key: o.key2, Secret: cmp.Or(o.secret2, c.getenv(secret2Var))}
	switch {
	case second.ID != "" && second.Key != "" && second.Secret != "":
		t.Apps[conformance.Second] = second
	case second.ID != "" || second.Key != "" || o.secret2 != "":
		return usagef("a second app has --app2-id, --app2-key and --app2-secret (or %s), and not just one of them", secret2Var)
	}
	return nil
}

func (c *cli) getenv(name string) string {
	value := ""
	for _, pair := range c.environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// choose reads the flags of a run.
func (o *conformanceOptions) choose(p *plan) (err error) {
	level := conformance.Level(strings.ToUpper(o.level))
	if !slices.Contains([]conformance.Level{conformance.Must, conformance.Should, conformance.May}, level) {
		return usagef("--level is must, should or may, not %q", o.level)
	}
	profile := conformance.Profile(o.profile)
	if !slices.Contains(conformance.Profiles, profile) {
		return usagef("--profile is core, full or hosted, not %q", o.profile)
	}
	if !slices.Contains([]string{"failing", "all", "none"}, o.trace) {
		return usagef("--trace is failing, all or none, not %q", o.trace)
	}
	if o.parallel < 1 || o.repeat < 1 {
		return usagef("--parallel and --repeat must be at least 1")
	}
	if p.cases, err = conformance.Select(conformance.All(), o.run, o.skip); err != nil {
		return noMatch(err)
	}
	if p.cases = profile.Cases(p.cases, p.target.Dialect); len(p.cases) == 0 {
		return noMatch(fmt.Errorf("none of the cases that match is of --profile %s", profile))
	}
	if p.seed, err = seedOf(o.shuffle); err != nil {
		return err
	}
	if p.reports, err = outputs(o.reports); err != nil {
		return err
	}
	return o.readKnown(p)
}

func seedOf(text string) (uint64, error) {
	switch text {
	case "":
		return 0, nil
	case "random":
		return uint64(time.Now().UnixNano())%1_000_000 + 1, nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seed == 0 {
		return 0, usagef("--shuffle is a number above 0 or random, not %q", text)
	}
	return seed, nil
}

func outputs(flags []string) (all []output, err error) {
	for _, flag := range flags {
		kind, path, ok := strings.Cut(flag, "=")
		if _, known := report.Kinds[kind]; !known || !ok || path == "" {
			return nil, usagef("--report is a kind and a file, as html=report.html; kinds are json, junit, md, html and tap: not %q", flag)
		}
		all = append(all, output{kind, path})
	}
	return all, nil
}

// readKnown reads the list of known failures. An entry that matches no case at
// all is a mistake; one of a case that is not run now is none.
func (o *conformanceOptions) readKnown(p *plan) error {
	if o.known == "" {
		return nil
	}
	f, err := os.Open(o.known)
	if err != nil {
		return usagef("--known-failing %s: %v", o.known, reason(err))
	}
	defer f.Close() //nolint:errcheck // it was read
	list, err := conformance.ReadKnown(f)
	if err != nil {
		return usagef("--known-failing %s: %v", o.known, err)
	}
	for pattern, why := range list {
		if _, err := conformance.Select(conformance.All(), []string{pattern}, nil); err != nil {
			return noMatch(fmt.Errorf("--known-failing %s: %w", o.known, err))
		}
		p.known[pattern] = why
	}
	return nil
}
