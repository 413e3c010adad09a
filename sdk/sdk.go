// Package sdk has the libraries for writing plugins, one for each language, and
// what a new plugin begins with. It knows how a plugin is laid out on disk and
// built, and nothing of how one runs.
package sdk

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/revurb/revurb/hooks/abi"
)

//go:embed go c/revurb.h assemblyscript/*.ts rust/src rust/Cargo.toml rust/build.sh templates
var files embed.FS

// Languages are those that there is a library for.
func Languages() []string { return []string{"go", "assemblyscript", "rust", "c"} }

// ParseLanguage returns the language with the given name, or short name.
func ParseLanguage(name string) (language string, err error) {
	switch name {
	case "as", "ts":
		return "assemblyscript", nil
	case "rs":
		return "rust", nil
	}
	for _, l := range Languages() {
		if l == name {
			return l, nil
		}
	}
	return "", fmt.Errorf("there is no SDK for %q: want one of %s; for any other language, see docs/abi.md", name, strings.Join(Languages(), ", "))
}

// Project is a plugin that is to be begun.
type Project struct {
	Name     string
	Language string
	Hooks    []abi.Hook
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Write lays p out in dir, which must not be there yet.
func (p Project) Write(dir string) error {
	if !validName.MatchString(p.Name) {
		return fmt.Errorf("%q is no name for a plugin: want small letters, digits and dashes, such as chat-guard", p.Name)
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s is there already; choose another name, or another folder with --dir", dir)
	}
	return errors.Join(p.library(filepath.Join(dir, "revurb")), p.begin(dir))
}

// library writes the library of p's language.
func (p Project) library(dir string) error {
	switch p.Language {
	case "go":
		if err := write(filepath.Join(dir, "go.mod"), "module github.com/revurb/revurb\n\ngo 1.24\n"); err != nil {
			return err
		}
		dir = filepath.Join(dir, "sdk", "go")
	}
	return fs.WalkDir(files, p.Language, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return write(filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, p.Language+"/"))), string(b))
	})
}

// begin writes what the author goes on with.
func (p Project) begin(dir string) error {
	for _, from := range []string{"all", p.Language} {
		root := path.Join("templates", from)
		err := fs.WalkDir(files, root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			t, err := template.ParseFS(files, name)
			if err != nil {
				return err
			}
			var b strings.Builder
			if err := t.Execute(&b, p.data()); err != nil {
				return fmt.Errorf("write %s: %w", name, err)
			}
			to := strings.TrimSuffix(strings.TrimPrefix(name, root+"/"), ".tmpl")
			to = strings.NewReplacer("NAME", p.Name, "dot-", ".").Replace(to)
			return write(filepath.Join(dir, filepath.FromSlash(to)), b.String())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write the plugin: %w", err)
	}
	mode := fs.FileMode(0o644)
	if strings.HasSuffix(path, ".sh") {
		mode = 0o755
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return fmt.Errorf("write the plugin: %w", err)
	}
	return nil
}
