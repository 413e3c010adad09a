package conformance

import "slices"

// Profile is a choice of cases by what they cost and what they are worth.
type Profile string

// The profiles.
const (
	Core   Profile = "core"   // what must and should hold, without cases that wait or send much: for every change
	Full   Profile = "full"   // everything
	Hosted Profile = "hosted" // without cases that send much: for a service that counts messages
)

// Profiles are all profiles.
var Profiles = []Profile{Core, Full, Hosted}

// Cases returns those of all that belong to the profile. In dialect d, because
// a case may be worth more in one than in the other.
func (p Profile) Cases(all []Case, d Dialect) []Case {
	return slices.DeleteFunc(slices.Clone(all), func(c Case) bool {
		switch p {
		case Core:
			return c.Heavy || c.Timing || c.LevelIn(d) == May
		case Hosted:
			return c.Heavy
		}
		return false
	})
}

// Counts reports whether a failure of a case of level l is one for who has
// asked for everything from min upward.
func (l Level) Counts(min Level) bool { return slices.Index(levels, l) <= slices.Index(levels, min) }

var levels = []Level{Must, Should, May}
