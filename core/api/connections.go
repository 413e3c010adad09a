package api

import "fmt"

// getConnections tells how many clients are connected. It is Laravel Reverb's;
// Laravel Pulse asks for it.
func (api *API) getConnections(r *request) ([]byte, error) {
	n, err := api.hub.Connections(r.Context(), r.app)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"connections":%d}`, n), nil
}
