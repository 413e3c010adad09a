package mutants

import (
	"flag"
	"os"
	"testing"
)

// atATime is how many mutants are judged at a time.
const atATime = 6

// TestMain runs more tests at a time than there are processors: they wait for
// the network more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "8") // the flag exists
	}
	os.Exit(m.Run())
}
