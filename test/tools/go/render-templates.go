// Renders the template corpus with Go's text/template, so that the agent's renderer can be compared
// with it. Reads {"data": ..., "templates": [...]} and writes [{"kind": ..., "output": ...}, ...].
// Kinds: ok, parse (not a template), missing (no such key), exec (any other failure), nil (a nil was
// printed as <no value>), bytes (the output is no UTF-8).
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"
)

type corpus struct {
	Data      any      `json:"data"`
	Templates []string `json:"templates"`
}

type result struct {
	Kind    string `json:"kind"`
	Output  string `json:"output"`
	Message string `json:"message"`
}

// goValue makes ints of whole numbers and float64 of all others, as policy does.
func goValue(value any) any {
	switch v := value.(type) {
	case json.Number:
		if whole, err := strconv.Atoi(v.String()); err == nil {
			return whole
		}
		fraction, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return fraction
	case []any:
		for i := range v {
			v[i] = goValue(v[i])
		}
		// Without spare capacity, so that slicing ends where the list does.
		return v[:len(v):len(v)]
	case map[string]any:
		for key := range v {
			v[key] = goValue(v[key])
		}
		return v
	}
	return value
}

func texts(parts []string) []any {
	list := make([]any, len(parts))
	for i, part := range parts {
		list[i] = part
	}
	return list
}

func indent(columns int, text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", columns) + line
		}
	}
	return strings.Join(lines, "\n")
}

// helpers are those of ours that Go's library makes trivial.
var helpers = template.FuncMap{
	"lower":      strings.ToLower,
	"upper":      strings.ToUpper,
	"trim":       strings.TrimSpace,
	"trimAll":    func(cutset, text string) string { return strings.Trim(text, cutset) },
	"trimLeft":   func(cutset, text string) string { return strings.TrimLeft(text, cutset) },
	"trimRight":  func(cutset, text string) string { return strings.TrimRight(text, cutset) },
	"trimPrefix": func(prefix, text string) string { return strings.TrimPrefix(text, prefix) },
	"trimSuffix": func(suffix, text string) string { return strings.TrimSuffix(text, suffix) },
	"replace":    func(old, fresh, text string) string { return strings.ReplaceAll(text, old, fresh) },
	"split":      func(separator, text string) []any { return texts(strings.Split(text, separator)) },
	"contains":   func(part, text string) bool { return strings.Contains(text, part) },
	"hasPrefix":  func(prefix, text string) bool { return strings.HasPrefix(text, prefix) },
	"hasSuffix":  func(suffix, text string) bool { return strings.HasSuffix(text, suffix) },
	"quote":      strconv.Quote,
	"repeat":     func(times int, text string) string { return strings.Repeat(text, times) },
	"indent":     indent,
	"nindent":    func(columns int, text string) string { return "\n" + indent(columns, text) },
	"b64enc":     func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
	"list":       func(items ...any) []any { return items },
	"keys": func(m map[string]any) []any {
		names := make([]string, 0, len(m))
		for name := range m {
			names = append(names, name)
		}
		sort.Strings(names)
		return texts(names)
	},
	"add": func(a, b int) int { return a + b },
	"mul": func(a, b int) int { return a * b },
}

// watching calls an escaper of Go's and notes whether it was given a nil to print.
func watching(escape func(...any) string, sawNil *bool) func(...any) string {
	return func(args ...any) string {
		for _, arg := range args {
			*sawNil = *sawNil || arg == nil
		}
		return escape(args...)
	}
}

func render(text string, data any) result {
	sawNil := false
	escapers := template.FuncMap{
		"html":     watching(template.HTMLEscaper, &sawNil),
		"js":       watching(template.JSEscaper, &sawNil),
		"urlquery": watching(template.URLQueryEscaper, &sawNil),
	}
	parsed, err := template.New("").Option("missingkey=error").Funcs(helpers).Funcs(escapers).Parse(text)
	if err != nil {
		return result{"parse", "", err.Error()}
	}
	var out strings.Builder
	err = parsed.Execute(&out, data)
	if sawNil || strings.Contains(out.String(), "<no value>") {
		return result{"nil", "", "a nil was printed"}
	}
	if err != nil {
		message := err.Error()
		for _, missing := range []string{"map has no entry", "nil data; no entry", "nil pointer evaluating"} {
			if strings.Contains(message, missing) {
				return result{"missing", "", message}
			}
		}
		return result{"exec", "", message}
	}
	if !utf8.ValidString(out.String()) {
		return result{"bytes", "", "the output is no UTF-8"}
	}
	return result{"ok", out.String(), ""}
}

func main() {
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	var input corpus
	if err := decoder.Decode(&input); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	data := goValue(input.Data)
	results := make([]result, len(input.Templates))
	for i, text := range input.Templates {
		results[i] = render(text, data)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(results); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
