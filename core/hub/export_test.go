package hub

import "github.com/revurb/revurb/core/app"

// NotifyCount is notifyCount.
func (h *Hub) NotifyCount(a *app.App, name string, count int) { h.notifyCount(a, name, count) }
