package kv

// Len is how many entries are in memory, the expired among them.
func Len(s *Store) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}
