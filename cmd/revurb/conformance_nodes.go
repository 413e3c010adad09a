package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// nodeControl has a command do to nodes what cases want done: drain, start, kill,
// stop and cont, each with the number of the node. The command ends when it is
// done.
func nodeControl(command string) func(verb string, node int) error {
	words := strings.Fields(command)
	return func(verb string, node int) error {
		cmd := exec.Command(words[0], append(words[1:len(words):len(words)], verb, strconv.Itoa(node))...) //nolint:gosec // who runs the suite has named it
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		case err != nil:
			return fmt.Errorf("--node-control: %w", err)
		}
		return nil
	}
}
