package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/hooks/wasm"
)

// inspection is what there is to say of a plugin that is not run.
type inspection struct {
	File         string   `json:"file"`
	Bytes        int      `json:"bytes"`
	SHA256       string   `json:"sha256"`
	ABI          int      `json:"abi"`
	Hooks        []string `json:"hooks"`
	Capabilities []string `json:"capabilities"`
	Imports      []string `json:"imports"`
	MemoryMin    uint32   `json:"memory_min_pages"`
	MemoryMax    uint32   `json:"memory_max_pages,omitempty"`
	Custom       []string `json:"custom_sections"`
	Unknown      []string `json:"unknown_exports"`
}

func (c *cli) inspectPluginCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what a plugin is and needs, without running it",
		Long: "Say what hooks a plugin has and what it needs of the server. Nothing of it runs.\n\n" +
			"    revurb plugin inspect chat-guard.wasm",
		Args: exactly("one file", 1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readPlugin(args[0])
			if err != nil {
				return err
			}
			info, err := wasm.Inspect(b)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			i := inspect(args[0], b, info)
			if asJSON {
				return c.printJSON(i)
			}
			c.printInspection(i)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as an object")
	return cmd
}

func inspect(path string, b []byte, info wasm.Info) inspection {
	sum := sha256.Sum256(b)
	i := inspection{
		File: path, Bytes: len(b), SHA256: hex.EncodeToString(sum[:]), ABI: info.ABI,
		Hooks: []string{}, Imports: []string{}, Capabilities: append([]string{}, info.Capabilities...),
		Custom: append([]string{}, info.Module.Custom...), Unknown: append([]string{}, info.Unknown...),
	}
	for _, h := range info.Hooks {
		i.Hooks = append(i.Hooks, h.String())
	}
	for _, m := range info.Module.Imports {
		i.Imports = append(i.Imports, m.Module+"."+m.Name)
	}
	if m := info.Module.Memory; m != nil {
		i.MemoryMin, i.MemoryMax = m.Min, m.Max
	}
	return i
}

func (c *cli) printInspection(i inspection) {
	line := func(name, value string) {
		if value == "" {
			value = "none"
		}
		fmt.Fprintf(c.stdout, "%-14s %s\n", name, value)
	}
	line("File", i.File)
	line("Size", bytesOf(int64(i.Bytes)))
	line("SHA-256", i.SHA256)
	line("ABI", fmt.Sprint(i.ABI))
	line("Hooks", strings.Join(i.Hooks, ", "))
	line("Capabilities", strings.Join(i.Capabilities, ", "))
	line("Imports", strings.Join(i.Imports, ", "))
	memory := fmt.Sprintf("%s at first", bytesOf(int64(i.MemoryMin)<<16))
	if i.MemoryMax > 0 {
		memory += fmt.Sprintf(", %s at most", bytesOf(int64(i.MemoryMax)<<16))
	}
	line("Memory", memory)
	line("Sections", strings.Join(i.Custom, ", "))
	for _, name := range i.Unknown {
		fmt.Fprintf(c.stderr, "revurb: warning: %s exports %s, which is no hook that this server has\n", i.File, name)
	}
}
