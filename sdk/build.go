package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Source is the plugin of a folder.
type Source struct {
	Dir      string
	Name     string
	Language string
	given    string // the folder as it was asked for, for messages
	file     string // what is compiled, in Dir; of Go, the package
}

// Detect finds the plugin of a folder by what is there.
func Detect(dir string) (Source, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Source{}, fmt.Errorf("find the plugin: %w", err)
	}
	if _, err := os.Stat(abs); err != nil {
		return Source{}, fmt.Errorf("find the plugin: there is no folder %s", dir)
	}
	name := filepath.Base(abs)
	for _, l := range []struct{ language, file, pattern string }{
		{"go", ".", "*.go"},
		{"rust", "", "*.rs"},
		{"assemblyscript", "", "*.ts"},
		{"c", "", "*.c"},
	} {
		found, err := filepath.Glob(filepath.Join(abs, l.pattern))
		if err != nil {
			return Source{}, fmt.Errorf("find the plugin: %w", err)
		}
		if len(found) == 0 {
			continue
		}
		s := Source{abs, name, l.language, dir, l.file}
		if s.file == "" {
			if len(found) > 1 {
				return s, fmt.Errorf("%s has %d files %s: which is the plugin? Put the others into a folder of their own", dir, len(found), l.pattern)
			}
			s.file = filepath.Base(found[0])
			s.Name = strings.TrimSuffix(s.file, filepath.Ext(s.file))
		}
		return s, nil
	}
	return Source{}, fmt.Errorf("%s has no plugin: want a file .go, .ts, .rs or .c in it; \"revurb plugin new\" makes one", dir)
}

// Output is where the plugin is built to unless one says otherwise.
func (s Source) Output() string { return filepath.Join(s.given, s.Name+".wasm") }

// Build compiles the plugin to the file out. What the compiler says goes to log.
func (s Source) Build(ctx context.Context, out string, log io.Writer) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("build the plugin: %w", err)
	}
	args, env, err := s.command(out)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == missingTools && s.Language == "rust":
		return errors.New("build the plugin: install Rust for wasm32: rustup target add wasm32-unknown-unknown, or Debian's rustc-web, rust-web-src and lld")
	case err != nil:
		return fmt.Errorf("build the plugin with %s: %w", filepath.Base(args[0]), err)
	}
	return nil
}

// missingTools is the exit code of the SDK's scripts for tools that are not there.
const missingTools = 3

// command returns what builds the plugin.
func (s Source) command(out string) (args, env []string, err error) {
	switch s.Language {
	case "go":
		if _, err := exec.LookPath("go"); err != nil {
			return nil, nil, errors.New("build the plugin: install Go 1.24 or later, from https://go.dev/dl")
		}
		return []string{"go", "build", "-buildmode=c-shared", "-o", out, s.file}, []string{"GOOS=wasip1", "GOARCH=wasm"}, nil
	case "assemblyscript":
		asc := filepath.Join(s.Dir, "node_modules", ".bin", "asc")
		if _, err := os.Stat(asc); err != nil {
			if _, err := exec.LookPath("npm"); err != nil {
				return nil, nil, errors.New("build the plugin: install Node.js, which has npm, and then run \"npm install\" in " + s.Dir)
			}
			return nil, nil, errors.New("build the plugin: the compiler is not there: run \"npm install\" in " + s.Dir)
		}
		return []string{
			asc, s.file, "-o", out, "-O3", "--runtime", "incremental", "--exportStart", "_initialize", "--use", "abort=", "--stackSize", "16384",
		}, nil, nil
	case "rust":
		return []string{filepath.Join(s.Dir, "revurb", "build.sh"), s.file, out}, nil, nil
	case "c":
		clang, err := first("clang", "clang-22", "clang-21", "clang-20", "clang-19", "clang-18", "clang-17", "clang-16")
		if err != nil {
			return nil, nil, errors.New("build the plugin: install clang and lld, 16 or later (Debian: apt install clang lld)")
		}
		if _, err := first("wasm-ld", "wasm-ld"+strings.TrimPrefix(filepath.Base(clang), "clang")); err != nil {
			return nil, nil, errors.New("build the plugin: install wasm-ld, which lld has (Debian: apt install lld)")
		}
		return []string{
			clang, "--target=wasm32", "-nostdlib", "-mbulk-memory", "-O2", "-Wall", "-Wextra", "-Wno-unused-function", "-Wno-unused-parameter",
			"-Wl,--no-entry", "-Wl,--strip-all", "-Wl,-z,stack-size=65536", "-o", out, s.file,
		}, nil, nil
	}
	return nil, nil, fmt.Errorf("build the plugin: there is no SDK for %s", s.Language)
}

// first returns the first of programs that is there.
func first(programs ...string) (path string, err error) {
	for _, p := range programs {
		if path, err = exec.LookPath(p); err == nil {
			return path, nil
		}
	}
	return "", err
}
