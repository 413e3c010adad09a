package plugin

var onConfigure func(config []byte) error

// OnConfigure has f called once when the plugin is loaded, with its config, a
// JSON object. If it returns an error the plugin is not loaded, and the operator
// reads the error.
func OnConfigure(f func(config []byte) error) { onConfigure = f }
