package conformance

import (
	"fmt"

	"github.com/revurb/revurb/conformance/client"
)

// utf8Cases are what text is made of.
func utf8Cases() []Case {
	const (
		valid   = "Text is UTF-8, and all of it is taken."
		invalid = "When a text message is not UTF-8, the endpoint must fail the connection."
	)
	var cases []Case
	for _, u := range []struct{ name, number, what, text string }{
		{"two-bytes", "6.2.1", "characters of two bytes", "Grüße, Ĥĝ"},
		{"three-bytes", "6.2.2", "characters of three bytes", "κόσμε €的日本"},
		{"four-bytes", "6.2.3", "characters of four bytes", "𝄞 🎉 𐍈"},
		{"bounds-low", "6.6.1", "the first character of each length", "\u0001\u0080\u0800\U00010000"[1:]},
		{"bounds-high", "6.7.1", "the last character of each length", "\u007f\u07ff\uffff\U0010ffff"},
		{"around-surrogates", "6.9.1", "the characters around the surrogates", "\ud7ff\ue000\ufffd"},
		{"noncharacters", "6.22.1", "the characters that never will be any", "\ufdd0\ufffe\uffff\U0001fffe\U0010fffe"},
		{"bom", "", "a byte order mark", "\ufeff"},
	} {
		c := frameCase("utf8."+u.name, "8.1", "text with "+u.what+" is understood", valid,
			func(_ *T, c *Conn) {
				c.Send(pingWith(u.text))
				c.ExpectPong("a ping with " + u.what)
			})
		if u.number != "" {
			c = c.alias(u.number)
		}
		cases = append(cases, c)
	}
	split := pingWith("aé€𝄞z")
	cases = append(cases,
		frameCase("utf8.split", "8.1", "a message may be cut within a character", valid,
			func(_ *T, c *Conn) {
				for at := range len(split) + 1 {
					c.SendFrames(fragments(split, at)...)
					c.ExpectPong(fmt.Sprintf("a ping that is cut after %d bytes", at))
				}
			}).alias("6.2.4"),
		frameCase("utf8.split-single-bytes", "8.1", "a message may have a fragment for each byte of a character", valid,
			func(_ *T, c *Conn) {
				var at []int
				for i := 1; i < len(split); i++ {
					at = append(at, i)
				}
				c.SendFrames(fragments(split, at...)...)
				c.ExpectPong("a ping with a fragment for each byte")
			}),
	)
	for _, u := range []struct{ name, number, what, text string }{
		{"lone-continuation", "6.14.1", "a continuation byte without a start", "\x80"},
		{"lone-start", "6.15.1", "a start byte without a continuation", "\xc3x"},
		{"cut-off-two", "6.16.1", "half a character of two bytes", "\xc3"},
		{"cut-off-three", "6.16.2", "two thirds of a character", "\xe2\x82"},
		{"cut-off-four", "6.16.3", "three quarters of a character", "\xf0\x9d\x84"},
		{"surrogate-high", "6.20.1", "a high surrogate (U+D800)", "\xed\xa0\x80"},
		{"surrogate-low", "6.20.7", "a low surrogate (U+DFFF)", "\xed\xbf\xbf"},
		{"surrogate-pair", "6.21.1", "a character as two surrogates, as CESU-8 has it", "\xed\xa0\xb4\xed\xb4\x9e"},
		{"overlong-c0", "6.17.1", "a slash in two bytes", "\xc0\xaf"},
		{"overlong-c1", "6.18.1", "a DEL in two bytes", "\xc1\xbf"},
		{"overlong-three", "6.17.2", "a slash in three bytes", "\xe0\x80\xaf"},
		{"overlong-four", "6.17.3", "a slash in four bytes", "\xf0\x80\x80\xaf"},
		{"overlong-nul", "6.19.1", "a NUL in two bytes, as modified UTF-8 has it", "\xc0\x80"},
		{"beyond-10ffff", "6.11.5", "a character beyond U+10FFFF", "\xf4\x90\x80\x80"},
		{"five-bytes", "6.10.2", "a sequence of five bytes", "\xf8\x88\x80\x80\x80"},
		{"six-bytes", "6.10.3", "a sequence of six bytes", "\xfc\x84\x80\x80\x80\x80"},
		{"fe-ff", "6.13.1", "bytes that occur in no text", "\xfe\xff"},
		{"latin-1", "6.3.1", "an umlaut in Latin-1", "M\xfcller"},
	} {
		cases = append(cases, frameCase("utf8."+u.name, "8.1", "text with "+u.what+" fails the connection", invalid,
			refuses("text with "+u.what, badData, client.Text(pingWith(u.text)))).alias(u.number))
	}
	bad := pingWith("\xed\xa0\x80")
	at := len(pingWith("")) - 1 // within the bad character
	return append(cases,
		frameCase("utf8.split-invalid", "8.1", "text that becomes invalid only in a later fragment fails the connection", invalid,
			refuses("a surrogate in two fragments", badData, fragments(bad, at)...)).alias("6.3.2"),
		frameCase("utf8.ends-within-character", "8.1", "text that ends within a character fails the connection", invalid,
			refuses("text that ends within a character", badData, client.Text(pingText+" \xf0\x9d"))),
		frameCase("utf8.after-message", "8.1", "a message before text that is not UTF-8 is answered", invalid,
			func(_ *T, c *Conn) {
				c.SendFrames(client.Text(pingText), client.Text(bad), client.Text(pingText))
				c.ExpectPong("the message before the one that breaks the rules")
				c.ExpectFailed("text with a surrogate", badData...)
			}),
	)
}
