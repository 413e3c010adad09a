package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// file is what revurb.toml sets.
type file struct {
	server  layer
	apps    []draft
	plugins []draft
}

// readFile reads the text of the file at path and checks every key in it.
// ok is false if it is not TOML, and nothing is known of what it sets.
func readFile(path string, text []byte, bad *Problems) (f file, ok bool) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // some editors begin every file so
	tree := map[string]any{}
	if err := toml.Unmarshal(text, &tree); err != nil {
		*bad = append(*bad, syntaxProblem(path, err))
		return f, false
	}
	r := reader{path: path, values: map[string]any{}, tables: map[string]int{}, seen: map[string]bool{}, bad: bad}
	collect(tree, "", r.values)
	r.parser.Reset(text)
	for r.parser.NextExpression() {
		r.expression(r.parser.Expression())
	}
	if err := r.parser.Error(); err != nil { // the parser above would have said so
		bad.add(Source(path), "%v", err)
		return f, false
	}
	return r.file, true
}

func syntaxProblem(path string, err error) Problem {
	what := strings.TrimPrefix(err.Error(), "toml: ")
	if strings.Contains(what, "at start of value") {
		what += "; text is written in quotes"
	}
	var at *toml.DecodeError
	if !errors.As(err, &at) {
		return Problem{path, what}
	}
	line, column := at.Position()
	return Problem{fmt.Sprintf("%s:%d:%d", path, line, column), what}
}

// reader goes through the file line by line, to know which line sets what.
type reader struct {
	path   string
	parser unstable.Parser
	values map[string]any // by name, with indexes
	bad    *Problems

	seen   map[string]bool // the free tables that are set
	tables map[string]int  // how many tables there are so far of each list
	prefix string          // the name of the table that we are in, with a dot
	skip   bool            // the table is unknown; what is in it need not be reported too
	file   file
}

func (r *reader) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table, unstable.ArrayTable:
		r.table(n)
	case unstable.KeyValue:
		if !r.skip {
			r.keyValue(n, r.prefix)
		}
	}
}

// table enters the table of a header.
func (r *reader) table(n *unstable.Node) {
	name, at := "", Source(r.path)
	for it := n.Key(); it.Next(); {
		at = r.at(it.Node())
		if name != "" {
			name += r.index(name) + "."
		}
		name += bare(string(it.Node().Data))
	}
	list := n.Kind == unstable.ArrayTable
	if list {
		r.tables[name]++
	}
	known := unindexed(name)
	r.prefix, r.skip = name+r.index(name)+".", true
	switch {
	case freeTable(known) != nil:
		r.free(known, name, at)
	case findKey(known) != nil:
		r.bad.add(at, "%s is a key, not a section; write it as %s = …", header(known), local(known))
	case !isSection(known):
		r.bad.add(at, "unknown section %s%s", written(known, list), hintSection(known))
	case list != isList(known):
		r.bad.add(at, "%s is written %s", written(known, list), header(known))
	case known == hooksKey && len(r.file.apps) == 0:
		r.bad.add(at, "%s comes after the %s that it is for", header(hooksKey), header(appsKey))
	default:
		r.skip = false
		if list {
			r.item(known, at)
		}
	}
}

// item begins the next table of the list called name.
func (r *reader) item(name string, at Source) {
	switch name {
	case appsKey:
		r.file.apps = append(r.file.apps, draft{from: at})
		return
	case pluginsKey:
		r.file.plugins = append(r.file.plugins, draft{from: at})
		return
	}
	d := &r.file.apps[len(r.file.apps)-1]
	d.webhooks = append(d.webhooks, draft{from: at})
}

// free sets the key whose value the table called name is, or is a part of.
func (r *reader) free(known, name string, at Source) {
	k := freeTable(known)
	for unindexed(name) != k.name {
		name = section(name)
	}
	if !r.seen[name] { // its value is all of it
		r.seen[name] = true
		r.set(name, at)
	}
}

// index is that of the last table of the list called name, if it is a list.
func (r *reader) index(name string) string {
	if n := r.tables[name]; n > 0 {
		return fmt.Sprintf("[%d]", n-1)
	}
	return ""
}

// keyValue reads "key = value" in the table of prefix. A table in braces is
// read as if it had a header.
func (r *reader) keyValue(n *unstable.Node, prefix string) {
	name, at := prefix, Source("")
	for it := n.Key(); it.Next(); {
		if at == "" {
			at = r.at(it.Node())
		} else {
			name += "."
		}
		name += bare(string(it.Node().Data))
	}
	value := n.Value()
	switch {
	case freeTable(unindexed(name)) != nil:
		r.free(unindexed(name), name, at)
	case value.Kind == unstable.InlineTable && findKey(unindexed(name)) == nil:
		r.inline(value, name+".")
	case value.Kind == unstable.Array && isList(unindexed(name)) && len(r.file.apps) > 0,
		value.Kind == unstable.Array && (name == appsKey || name == pluginsKey):
		r.inlineList(value, name, at)
	default:
		r.set(name, at)
	}
}

func (r *reader) inline(table *unstable.Node, prefix string) {
	for it := table.Children(); it.Next(); {
		r.keyValue(it.Node(), prefix)
	}
}

func (r *reader) inlineList(list *unstable.Node, name string, at Source) {
	i, known := 0, unindexed(name)
	for it := list.Children(); it.Next(); i++ {
		if it.Node().Kind != unstable.InlineTable {
			r.bad.add(at, "%s", listNotKey(known))
			return
		}
		r.item(known, at)
		r.inline(it.Node(), fmt.Sprintf("%s[%d].", name, i))
	}
}

func listNotKey(name string) string {
	return fmt.Sprintf("%s is a list of tables; write each as %s", name, header(name))
}

// set checks the value of a key and keeps it.
func (r *reader) set(name string, at Source) {
	known := unindexed(name)
	k := findKey(known)
	switch {
	case k == nil && isList(known):
		r.bad.add(at, "%s", listNotKey(known))
		return
	case k != nil && k.ofApp() && !strings.HasPrefix(name, appsKey+"["):
		r.bad.add(at, "%s", listNotKey(appsKey))
		return
	case k != nil && k.ofPlugin() && !strings.HasPrefix(name, pluginsKey+"["):
		r.bad.add(at, "%s", listNotKey(pluginsKey))
		return
	case k != nil && k.ofWebhook() && !strings.Contains(name, "].webhooks["):
		r.bad.add(at, "%s", listNotKey(hooksKey))
		return
	case k == nil && isSection(known):
		r.bad.add(at, "%s is a section, not a key; write it as %s", local(known), header(known))
		return
	case k == nil:
		r.bad.add(at, "unknown key %s%s", inSection(known), hintKey(known))
		return
	}
	raw := r.values[name]
	value, ok := k.kind.fromTOML(raw)
	if !ok {
		r.bad.add(at, "%s: want %s, not %s", k.name, k.kind.want, k.hide(describe(raw)))
		return
	}
	if err := k.check(value); err != nil {
		r.bad.add(at, "%s: %v", k.name, err)
		return
	}
	settings := r.settings(k)
	*settings = append(*settings, setting{k, value, at})
}

// settings are where the value of a key belongs that stands here.
func (r *reader) settings(k *key) *layer {
	switch {
	case k.ofPlugin():
		return &r.file.plugins[len(r.file.plugins)-1].settings
	case k.ofWebhook():
		hooks := r.file.apps[len(r.file.apps)-1].webhooks
		return &hooks[len(hooks)-1].settings
	case k.ofApp():
		return &r.file.apps[len(r.file.apps)-1].settings
	}
	return &r.file.server
}

// inSection is a name as a reader of the file sees it.
func inSection(name string) string {
	last := local(name)
	if bareKey.MatchString(last) {
		last = quote(last)
	}
	if s := section(name); s != "" {
		last += " in " + header(s)
	}
	return last
}

func (r *reader) at(n *unstable.Node) Source {
	return fromLine(r.path, r.parser.Shape(n.Raw).Start.Line)
}

// hide keeps a secret out of an error message.
func (k *key) hide(description string) string {
	if k.secret() {
		return "this"
	}
	return description
}
