package conformance

// WebhookReceiver takes the webhooks that the target sends.
type WebhookReceiver struct{}
