package redistest

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// readCommand reads one command of a client: its arguments, and its bytes.
func readCommand(r *bufio.Reader) (args []string, raw []byte, err error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, nil, err
	}
	n, err := number(line, "*")
	if err != nil {
		return nil, nil, err
	}
	raw = line
	for range n {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return nil, nil, err
		}
		size, err := number(line, "$")
		if err != nil {
			return nil, nil, err
		}
		arg := make([]byte, size+2)
		if _, err := io.ReadFull(r, arg); err != nil {
			return nil, nil, err
		}
		args = append(args, string(arg[:size]))
		raw = append(append(raw, line...), arg...)
	}
	return args, raw, nil
}

// readReply reads one value of RESP2 or RESP3 with all that is in it, as bytes.
func readReply(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	values := 0
	switch line[0] {
	case '$', '=', '!':
		size, err := number(line, "$=!")
		if err != nil || size < 0 {
			return line, err
		}
		rest := make([]byte, size+2)
		_, err = io.ReadFull(r, rest)
		return append(line, rest...), err
	case '*', '~', '>':
		values, err = number(line, "*~>")
	case '%':
		values, err = number(line, "%")
		values *= 2
	case '|': // attributes of the value that follows
		values, err = number(line, "|")
		values = 2*values + 1
	}
	for range values {
		value, err := readReply(r)
		if err != nil {
			return nil, err
		}
		line = append(line, value...)
	}
	return line, err
}

func number(line []byte, kinds string) (int, error) {
	if len(line) < 4 || !strings.ContainsRune(kinds, rune(line[0])) {
		return 0, fmt.Errorf("not one of %s in RESP: %q", kinds, line)
	}
	return strconv.Atoi(strings.TrimRight(string(line[1:]), "\r\n"))
}
