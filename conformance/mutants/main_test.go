package mutants

import (
	"flag"
	"os"
	"testing"
)

// atATime is how many mutants are judged at a time. They mostly wait, so it is
// more than there are processors.
const atATime = 6

func TestMain(m *testing.M) {
	flag.Parse()
	if asked := flag.Lookup("test.parallel"); asked.Value.String() == asked.DefValue {
		_ = asked.Value.Set("8") // with the tests of controls
	}
	os.Exit(m.Run())
}
