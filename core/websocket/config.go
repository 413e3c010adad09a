package websocket

import "time"

// Config is the [websocket] section of the configuration.
type Config struct {
	MaxPendingBytes    int           `koanf:"max_pending_bytes"`    // that a client may be behind
	MaxPendingMessages int           `koanf:"max_pending_messages"` // that a client may be behind; messages sent together count once
	WriteTimeout       time.Duration `koanf:"write_timeout"`        // in which a client that is behind must take something
	CloseTimeout       time.Duration `koanf:"close_timeout"`        // for a client to answer a close frame
	SendBuffer         int           `koanf:"send_buffer"`          // bytes that the kernel keeps for each connection; 0 leaves it to the kernel
	Compression        bool          `koanf:"compression"`          // offer permessage-deflate (RFC 7692)
}

// DefaultConfig is what the configuration starts from.
var DefaultConfig = Config{
	MaxPendingBytes:    1 << 20,
	MaxPendingMessages: 4096,
	WriteTimeout:       10 * time.Second,
	CloseTimeout:       3 * time.Second,
	SendBuffer:         64 << 10,
}
