package conformance

import "slices"

// Claim is a capability, and what a server says when it claims it.
type Claim struct {
	Capability Capability
	Means      string
}

// Claims are all capabilities, in the order of the protocol.
var Claims = []Claim{
	{CapClientEvents, "clients may send client events to one another"},
	{CapPresence, "there are presence channels"},
	{CapCache, "cache channels replay their last event"},
	{CapEncrypted, "there are encrypted channels"},
	{CapSubscriptionCount, "subscribers are told how many there are"},
	{CapSignin, "users can sign in"},
	{CapWatchlist, "users are told who on their watchlist is online"},
	{CapAuthorizedOnly, "connections that do not authorize themselves in time are closed"},
	{CapTerminate, "the HTTP API can disconnect a user"},
	{CapBatch, "the HTTP API takes batches of events"},
	{CapWebhooks, "webhooks are sent"},
	{CapBatchedWebhooks, "a webhook may have several events"},
	{CapUnbatchedWebhooks, "a webhook has one event"},
	{CapFilteredWebhooks, "the second webhook URL gets channel_existence alone"},
	{CapConnections, "the HTTP API counts connections, as that of Laravel Reverb does"},
	{CapReverb, "there are the endpoints of Laravel Reverb"},
	{CapMemberLimits, "presence channels are limited as those of Pusher are"},
	{CapClientEventRate, "client events of a connection are limited to some a second"},
	{CapOriginCheck, "pages of other origins than the app allows cannot connect"},
	{CapCompression, "permessage-deflate can be negotiated"},
	{CapMultiNode, "several nodes can be one cluster"},
	{CapPathPrefix, "the server has a path prefix"},
	{CapNodeControl, "the suite may stop and start nodes"},
	{CapSecondApp, "credentials of a second app are given"},
	{CapQuotaApp, "an app with at most two connections is given"},
	{CapDisabledApp, "an app that is switched off is given"},
	{CapNoClientEvents, "an app without client events is given"},
	{CapShortLiveness, "an app that finds silent clients within seconds is given"},
	{CapShortCache, "an app whose cached events expire within seconds is given"},
	{CapTLSOnly, "an app that refuses connections without TLS is given"},
	{CapStrict, "an app that wants to know the version of the protocol is given"},
}

// FixtureClaims are the capabilities that come with an app, and go without it.
var FixtureClaims = map[Fixture][]Capability{
	Second:         {CapSecondApp},
	Quota:          {CapQuotaApp},
	Disabled:       {CapDisabledApp},
	NoClientEvents: {CapNoClientEvents},
	ShortLived:     {CapShortLiveness, CapShortCache},
	TLSOnly:        {CapTLSOnly},
	Strict:         {CapStrict},

	// What these take is more than an app: a server that knows of such things.
	Origins:        {},
	AuthorizedOnly: {},
	Counting:       {},
	NoWatchlist:    {},
}

// Settle makes the capabilities of t those that it can be held to: what comes
// with an app is claimed if the app was given, and a path prefix and a cluster
// if the URLs have them.
func (t *Target) Settle() {
	set := func(c Capability, has bool) {
		t.Capabilities = slices.DeleteFunc(t.Capabilities, func(x Capability) bool { return x == c })
		if has {
			t.Capabilities = append(t.Capabilities, c)
		}
	}
	for f, claims := range FixtureClaims {
		_, given := t.Apps[f]
		for _, c := range claims {
			set(c, given)
		}
	}
	set(CapPathPrefix, len(t.URLs) > 0 && len(t.URLs[0].Path) > 1)
	set(CapMultiNode, len(t.URLs) > 1)
	set(CapNodeControl, t.Control != nil)
	if t.Webhooks == nil {
		for _, c := range webhookClaims {
			set(c, false)
		}
	}
	slices.Sort(t.Capabilities)
}

// webhookClaims take a receiver.
var webhookClaims = []Capability{CapWebhooks, CapBatchedWebhooks, CapUnbatchedWebhooks, CapFilteredWebhooks}

// Found reports whether a capability is found out at each run, and stands in no
// description of a server.
func (c Capability) Found() bool {
	t := Target{Capabilities: []Capability{c}}
	t.Settle()
	return !t.Has(c) && !slices.Contains(webhookClaims, c)
}
