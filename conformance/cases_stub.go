package conformance

var (
	connectionCases, heartbeatCases, subscriptionCases, presenceCases, cacheCases, countCases []Case
	clientEventCases, userCases, watchlistCases, httpAuthCases, httpEventCases, httpQueryCases []Case
	webhookCases, securityCases                                                               []Case
)

func rfc6455Cases() []Case { return nil }
