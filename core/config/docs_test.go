package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks/loader"
)

const root = "../../"

// The file that we hand out has the defaults in it and no app, so it changes
// nothing.
func TestSampleIsTheDefault(t *testing.T) {
	l := get(t, sample(t))
	if want := config.Default(); !reflect.DeepEqual(l.Config, want) {
		t.Errorf("the sample is\n%+v\nthe defaults are\n%+v", l.Config, want)
	}
}

// It has every key in it, so that nobody need read the source to find one;
// also those of apps and plugins, once their # are taken away.
func TestSampleIsComplete(t *testing.T) {
	head, block, ok := strings.Cut(sample(t), "# [[apps]]\n")
	if !ok {
		t.Fatal("revurb.toml has no [[apps]] to take the # away from")
	}
	block, plugins, ok := strings.Cut(block, "# [[plugins]]\n")
	if !ok {
		t.Fatal("revurb.toml has no [[plugins]] to take the # away from")
	}
	block, _, _ = strings.Cut(block, "\n\n") // what comes then is prose
	uncommented := strings.ReplaceAll("\n# [[apps]]\n"+block+"\n# [[plugins]]\n"+plugins, "\n# ", "\n")
	uncommented = strings.ReplaceAll(uncommented, "\n#\n", "\n\n")
	l := get(t, head+uncommented)

	for _, e := range l.Entries() {
		if e.Source == config.FromDefault {
			t.Errorf("revurb.toml lacks %s", e.Key)
		}
	}
	want := app.Default(protocol.Pusher)
	want.ID, want.Key, want.Secret = "my-app-id", "my-app-key", "my-app-secret"
	hook := app.DefaultWebhook
	hook.URL = "https://example.com/webhooks"
	want.Webhooks = []app.Webhook{hook}
	plugin := loader.DefaultConfig()
	for i := range l.Config.Plugins { // which are looked for where the file is
		l.Config.Plugins[i].Path = filepath.Base(l.Config.Plugins[i].Path)
	}
	plugin.Name, plugin.Path = "my-plugin", "my-plugin.wasm"
	if !reflect.DeepEqual(l.Config.Plugins, []loader.Config{plugin}) {
		t.Errorf("the sample's plugin is\n%+v\nthe defaults are\n%+v", l.Config.Plugins, plugin)
	}
	if !reflect.DeepEqual(l.Config.Apps, app.List{want}) {
		t.Errorf("the sample's app is\n%+v\nthe defaults are\n%+v", l.Config.Apps, want)
	}
}

func sample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(root + config.FileName)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every configuration in our documentation loads. A block that is not for
// revurb begins with ```toml ignore.
func TestDocumentedConfigurationsLoad(t *testing.T) {
	docs, err := filepath.Glob(root + "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(docs, root+"README.md") {
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		for _, b := range tomlBlocks(string(text)) {
			// The lines before it are kept empty, so that an error names the line
			// of the document.
			if _, err := load(t, strings.Repeat("\n", b.line)+b.text); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

type block struct {
	text string
	line int // of the fence
}

// tomlBlocks returns the blocks of a document that are fenced as toml, however
// deep they are indented.
func tomlBlocks(doc string) (all []block) {
	var open *block
	for i, line := range strings.Split(doc, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case open != nil && isFence:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line + "\n"
		case isFence:
			if info := strings.Fields(fence); len(info) > 0 && info[0] == "toml" && !slices.Equal(info[1:], []string{"ignore"}) {
				open = &block{line: i + 1}
			}
		}
	}
	return all
}

func TestTomlBlocks(t *testing.T) {
	doc := "text\n```toml\n[a]\n```\n```js\n```\n  ```toml ignore\n[b]\n  ```\n```toml title=x\n[c]\nd = 1\n```\n"
	want := []block{{"[a]\n", 2}, {"[c]\nd = 1\n", 10}}
	if got := tomlBlocks(doc); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
