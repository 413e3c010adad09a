package config

import (
	"regexp"
	"slices"
	"strings"
)

// The variables that are ours without being keys.
const (
	EnvConfig      = envPrefix + "CONFIG" // the path of the file
	envConformance = envPrefix + "CONFORMANCE_"
)

const envPrefix = "REVURB_"

// EnvName is the variable that sets the key called name: "server.port" is
// REVURB_SERVER_PORT, and "apps.id" is REVURB_APP_ID.
func EnvName(name string) string {
	if rest, ok := strings.CutPrefix(name, appsKey+"."); ok {
		name = "app." + rest
	}
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}

// environment is the variables by name. Of two of a name the last one counts.
type environment map[string]string

func newEnvironment(environ []string) environment {
	e := environment{}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			e[name] = value
		}
	}
	e.dropServiceLinks()
	return e
}

// names are those that begin with prefix, sorted.
func (e environment) names(prefix string) (all []string) {
	for name := range e {
		if strings.HasPrefix(name, prefix) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// serviceURL is what a container platform sets X_PORT to, for a service called
// x. Nobody means it as a port.
var serviceURL = regexp.MustCompile(`^(tcp|udp|sctp)://`)

// dropServiceLinks removes what Kubernetes puts into every container for each
// service. For one called "revurb" that is REVURB_SERVICE_HOST and more names
// that look like ours, and for one called "revurb-server" it is even
// REVURB_SERVER_PORT. One called "redis" sets REDIS_PORT.
func (e environment) dropServiceLinks() {
	for _, port := range slices.Concat(e.names("REVURB"), e.names("REVERB"), e.names("REDIS")) {
		service, ok := strings.CutSuffix(port, "_PORT")
		if !ok || !serviceURL.MatchString(e[port]) {
			continue
		}
		links := regexp.MustCompile("^" + regexp.QuoteMeta(service) +
			"_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$")
		for name := range e {
			if links.MatchString(name) {
				delete(e, name)
			}
		}
	}
}

// read returns what the REVURB_ variables set. A variable that is no key is a
// problem: most often it is a slip of the pen.
func (e environment) read(bad *Problems) (l layer) {
	byName := map[string]*key{}
	known := []string{strings.TrimPrefix(EnvConfig, envPrefix)}
	for _, k := range schema {
		if k.ofWebhook() || k.ofPlugin() { // of which there are many
			continue
		}
		byName[EnvName(k.name)] = k
		known = append(known, strings.TrimPrefix(EnvName(k.name), envPrefix))
	}
	for _, name := range e.names(envPrefix) {
		k := byName[name]
		switch {
		case name == EnvConfig, strings.HasPrefix(name, envConformance):
		case k == nil:
			hint := didYouMean(strings.TrimPrefix(name, envPrefix), known, func(n string) string { return envPrefix + n })
			bad.add(fromEnv(name), "unknown variable%s", hint)
		default:
			l = append(l, k.parse(e[name], fromEnv(name), bad)...)
		}
	}
	return l
}

// parse reads text as a value of k. It returns no setting if it is not one.
func (k *key) parse(text string, from Source, bad *Problems) layer {
	value, ok := k.kind.fromText(text)
	if !ok {
		bad.add(from, "want %s, not %s", k.kind.wantText(), k.hide(quote(text)))
		return nil
	}
	return k.checked(value, from, bad)
}

// checked is the setting of k to value, if the value makes sense.
func (k *key) checked(value any, from Source, bad *Problems) layer {
	if err := k.check(value); err != nil {
		bad.add(from, "%v", err)
		return nil
	}
	return layer{{k, value, from}}
}
