package conformance

import "sync"

// Concurrently calls f with 0 to n-1, all at once, and waits for all of them.
// The first that ends the case does so for all.
func (t *T) Concurrently(n int, f func(i int)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first any
	for i := range n {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					mu.Lock()
					defer mu.Unlock()
					if first == nil {
						first = p
					}
				}
			}()
			f(i)
		})
	}
	wg.Wait()
	if first != nil {
		panic(first)
	}
}
