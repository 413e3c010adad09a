package config_test

import (
	"errors"
	"testing"

	"github.com/revurb/revurb/core/config"
)

// Whatever is in the file, it is read or the user is told what is wrong.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		anApp, "apps = [{ id = \"1\" }]", "apps = [[{}]]", "server = [{ port = 1 }]", "[apps]", "[[apps.x]]\n[[apps]]", "[[apps]]\n[[apps.message_rate]]",
		"server = { port = { x = 1 } }", "\"\".\"\" = 1", "'a.b'.c = [1]", "[a.b]\n[a]\n[[a.c]]\n[a.c.d]\n", "[log]\nlevel = \"\"\"\nx\"\"\"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := load(t, text)
		var p config.Problems
		if err != nil && !errors.As(err, &p) {
			t.Errorf("got %v, want problems", err)
		}
		for _, problem := range p {
			if problem.Where == "" || problem.What == "" {
				t.Errorf("got %q at %q, want both to say something", problem.What, problem.Where)
			}
		}
	})
}
