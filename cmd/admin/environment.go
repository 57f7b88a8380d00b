package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// maxSecretFile bounds a file that a GAGE_…_FILE names, in bytes: it holds one value.
const maxSecretFile = 64 << 10

// envName is the variable that stands for a flag: GAGE_PUBLIC_URL for --public-url.
func envName(flag string) string {
	return "GAGE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// environment reads flags that are not on the command line from GAGE_FLAG, or from the file that GAGE_FLAG_FILE
// names: a secret need not show in the process list.
func environment(getenv func(string) string) kong.Resolver {
	var resolve kong.ResolverFunc = func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if flag.Name == "help" {
			return nil, nil
		}
		name := envName(flag.Name)
		value, file := getenv(name), getenv(name+"_FILE")
		switch {
		case value != "" && file != "":
			return nil, fmt.Errorf("%s and %s_FILE are both set: keep one", name, name)
		case value != "":
			return value, nil
		case file != "":
			return readValueFile(name+"_FILE", file)
		}
		return nil, nil
	}
	return resolve
}

func readValueFile(name, path string) (any, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSecretFile {
		return nil, fmt.Errorf("%s: %s is no file with one value in it", name, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// helpWithEnv tells the variable behind each flag in --help.
func helpWithEnv(v *kong.Value) string {
	if v.Flag == nil || v.Flag.Name == "help" {
		return v.Help
	}
	return fmt.Sprintf("%s [%s]", v.Help, envName(v.Flag.Name))
}
