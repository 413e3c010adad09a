package clustertest

import (
	"maps"
	"strings"

	"github.com/revurb/revurb/core/redis/redistest"
)

// store reads what the cluster has in Redis, each partition from the server that
// has it.
type store struct {
	place place
	conns map[string]*redistest.Conn // by partition
}

// do does a command on the keys of a partition.
func (s *store) do(part string, args ...any) (any, error) {
	c := s.conns[part]
	if c == nil {
		c = s.place.master(part).Conn()
		if s.conns == nil {
			s.conns = map[string]*redistest.Conn{}
		}
		s.conns[part] = c
	}
	v, err := c.Do(args...)
	if err != nil { // it is not there anymore, or not the master
		_ = c.Close()
		delete(s.conns, part)
	}
	return v, err
}

// forget has the next command ask who the master is: the old one may answer, too.
func (s *store) forget() {
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

// hash reads a hash of one partition.
func (s *store) hash(part, name string) (map[string]string, error) {
	v, err := s.do(part, "HGETALL", part+":"+name)
	list, _ := v.([]any)
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[text(list[i])] = text(list[i+1])
	}
	return m, err
}

// hashes reads the hash that every partition has.
func (s *store) hashes(parts []string, name string) (map[string]string, error) {
	all := map[string]string{}
	for _, part := range parts {
		m, err := s.hash(part, name)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, m)
	}
	return all, nil
}

// keys lists the keys of one partition.
func (s *store) keys(part, pattern string) (all []string, err error) {
	v, err := s.do(part, "KEYS", part+":"+pattern)
	list, _ := v.([]any)
	for _, key := range list {
		all = append(all, strings.TrimPrefix(text(key), part+":"))
	}
	return all, err
}
