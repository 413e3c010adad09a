package api

// Config is the [api] section of the configuration.
type Config struct {
	MaxRequestSize int `koanf:"max_request_size"` // bytes of a request's body
}

// DefaultConfig is what the configuration starts from. A batch of ten events
// of 10 KiB fits, however much its JSON is escaped.
var DefaultConfig = Config{MaxRequestSize: 1 << 20}
