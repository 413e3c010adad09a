package redistest_test

import (
	"fmt"
	"runtime"
	"testing"
)

// A verdict is a test that only notes how it ended.
type verdict struct {
	testing.TB
	dir           string
	kind, message string
}

func (v *verdict) Helper()         {}
func (v *verdict) Cleanup(func())  {}
func (v *verdict) TempDir() string { return v.dir }

func (v *verdict) Fatal(args ...any)            { v.end("fatal", fmt.Sprint(args...)) }
func (v *verdict) Fatalf(f string, args ...any) { v.end("fatal", fmt.Sprintf(f, args...)) }
func (v *verdict) Skip(args ...any)             { v.end("skip", fmt.Sprint(args...)) }

func (v *verdict) end(kind, message string) {
	v.kind, v.message = kind, message
	runtime.Goexit()
}
