package webhook

import "slices"

// left reports whether it is for another server to tell. When this one stops and
// has not got one event through, it leaves all that come later, too: the other
// begins with that one, and those of a channel are to come in order.
func (e *endpoint) left(it item) bool { return it.share != nil && (e.leaving || it.share.void()) }

// leave forgets items without settling them: another server tells them.
func (e *endpoint) leave(items []item) {
	if len(items) == 0 {
		return
	}
	e.discount(items)
	e.metrics.Webhooks("left", len(items))
	if e.closing() == nil {
		e.d.left.Add(int64(len(items)))
	}
}

// still returns what of retries is for this server to tell.
func (e *endpoint) still(retries []*delivery) []*delivery {
	kept := retries[:0]
	for _, r := range retries {
		if !slices.ContainsFunc(r.items, e.left) {
			kept = append(kept, r)
			continue
		}
		mine, others := split(r.items, e.left)
		e.leave(others)
		e.release(others)
		if len(mine) == 0 {
			continue
		}
		a, w := e.target()
		rest := newDelivery(a, w, mine) // another request, since the body is another
		rest.tries, rest.due, rest.claimed = r.tries, r.due, r.claimed
		kept = append(kept, rest)
	}
	clear(retries[len(kept):])
	return kept
}

// split parts the items that is holds of from the others, whose order stays.
func split(items []item, is func(item) bool) (no, yes []item) {
	for _, it := range items {
		if is(it) {
			yes = append(yes, it)
		} else {
			no = append(no, it)
		}
	}
	return no, yes
}
