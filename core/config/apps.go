package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

// draft is an app, or a webhook of one, as far as it is configured.
type draft struct {
	from     Source // where it begins
	settings layer
	webhooks []draft
	reverb   bool // it comes from Laravel's variables, and has Reverb's defaults
}

// credentials are the keys that no app is without.
var credentials = []string{"apps.id", "apps.key", "apps.secret"}

// draftApps adds what the environment says of an app to the apps of the file:
// it changes the one with the same ID, or the only one if it names none, or
// else it is another app. laravel comes before own, which is what REVURB_
// variables say.
func draftApps(apps []draft, laravel, own layer, bad *Problems, warn *[]string) []draft {
	env := append(slices.Clone(laravel), own...)
	if len(env) == 0 {
		return apps
	}
	id, named := env.last("apps.id")
	for i := range apps {
		its, has := apps[i].settings.last("apps.id")
		if named && has && its.value == id.value || len(apps) == 1 && (!named || !has) {
			apps[i].settings = append(apps[i].settings, withoutEventSize(env)...)
			return apps
		}
	}
	var has, lacks []string
	for _, c := range credentials {
		if s, ok := env.last(c); ok {
			has = append(has, s.from.place())
		} else {
			lacks = append(lacks, c)
		}
	}
	switch {
	case len(has) == 0 && len(own) == 0:
		for _, s := range withoutEventSize(laravel) {
			*warn = append(*warn, s.from.place()+" is not used: no REVERB_APP_ID says which app it is for")
		}
		return apps
	case len(has) == 0:
		for _, s := range own {
			bad.add(s.from, "it is for an app, and nothing says which; set %s", EnvName("apps.id"))
		}
		return apps
	case len(lacks) > 0:
		for _, c := range lacks {
			bad.add(fromEnv(missingName(c, has)), "it is missing; %s set, and an app needs ID, KEY and SECRET", isOrAre(has))
		}
		return apps
	}
	return append(apps, draft{from: id.from, settings: env, reverb: strings.HasPrefix(id.from.place(), reverbPrefix)})
}

// withoutEventSize leaves out what a limit of requests says about events: it
// is for the app of the same family of variables only.
func withoutEventSize(l layer) layer {
	return slices.DeleteFunc(slices.Clone(l), func(s setting) bool { return s.from == fromEnv(reverbMaxRequestSize) })
}

// missingName is the variable for a credential, in the family of those there.
func missingName(name string, has []string) string {
	own := EnvName(name)
	if slices.ContainsFunc(has, func(h string) bool { return strings.HasPrefix(h, envPrefix) }) {
		return own
	}
	return reverbPrefix + strings.TrimPrefix(own, envPrefix)
}

func isOrAre(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, " and ") + " are"
}

// settleApp makes an app of a draft, and says where its values come from.
func settleApp(d draft) (app.App, map[string]Source, error) {
	dialect := protocol.Pusher
	if d.reverb {
		dialect = protocol.Reverb
	}
	if s, ok := d.settings.last("apps.dialect"); ok {
		dialect = protocol.Dialect(s.value.(string))
	}
	var out struct {
		Apps app.App `koanf:"apps"`
	}
	defaults := flatten(reflect.ValueOf(app.Default(dialect)), appsKey+".")
	sources, err := settle(&out, defaults, d.settings)
	if err != nil {
		return out.Apps, nil, err
	}
	for i, w := range d.webhooks {
		hook, from, err := settleWebhook(w)
		if err != nil {
			return out.Apps, nil, err
		}
		out.Apps.Webhooks = append(out.Apps.Webhooks, hook)
		for name, s := range from {
			sources[hookKey(i, name)] = s
		}
	}
	return out.Apps, sources, nil
}

// settleWebhook makes a webhook of a draft, and says where its values come from.
func settleWebhook(d draft) (app.Webhook, map[string]Source, error) {
	var out struct {
		Apps struct {
			Webhooks app.Webhook `koanf:"webhooks"`
		} `koanf:"apps"`
	}
	sources, err := settle(&out, flatten(reflect.ValueOf(app.DefaultWebhook), hooksKey+"."), d.settings)
	return out.Apps.Webhooks, sources, err
}

// hookKey is the name of a key of webhook i of an app: "apps.webhooks[0].url".
func hookKey(i int, name string) string {
	return fmt.Sprintf("%s[%d]%s", hooksKey, i, name[len(hooksKey):])
}

// checkApps finds apps that lack credentials or share them, and webhooks that
// lead nowhere.
func checkApps(apps []draft, bad *Problems) {
	first := map[string]Source{}
	for _, d := range apps {
		for _, w := range d.webhooks {
			if _, ok := w.settings.last(hooksKey + ".url"); !ok {
				bad.add(w.from, "this webhook has no url")
			}
		}
		for _, name := range credentials {
			s, ok := d.settings.last(name)
			if !ok {
				bad.add(d.from, "this app has no %s", local(name))
				continue
			}
			if name == "apps.secret" {
				continue // two apps may share it
			}
			taken := fmt.Sprintf("%s=%v", name, s.value)
			if other, ok := first[taken]; ok {
				bad.add(s.from, "the %s %q is also that of the app at %s; every app needs its own", local(name), s.value, other.place())
				continue
			}
			first[taken] = s.from
		}
	}
}
