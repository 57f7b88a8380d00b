package hook

import "gage/bench/proof/harness"

// defects are mistakes that would let somebody use the shop to reach what only the shop's machine can reach.
var defects = []harness.Defect{
	{
		Name: "a private address is reached", File: "web/hook/addresses.go",
		Old: `"10.0.0.0/8", `, New: "",
	},
	{
		Name: "IPv4 written as IPv6 is let through", File: "web/hook/addresses.go",
		Old: "	if a.Is6() && !hosts6.Contains(a) {\n", New: "	if a = a.Unmap(); false {\n",
	},
	{
		Name: "a cloud's metadata is reached", File: "web/hook/addresses.go",
		Old: `"169.254.0.0/16", `, New: "",
	},
	{
		Name: "one good address is enough", File: "web/hook/hook.go",
		Old: "	for _, a := range addrs {\n		if !c.allowed(a) {\n", New: "	for _, a := range addrs[:1] {\n		if !c.allowed(a) {\n",
	},
	{
		Name: "the name is resolved again for the connection", File: "web/hook/hook.go",
		Old: "	d := net.Dialer{Control: c.look}\n", New: "	if addrs, err = c.resolve(ctx, host); err != nil {\n		return nil, err\n	}\n	d := net.Dialer{}\n",
	},
	{
		Name: "a redirect is followed", File: "web/hook/hook.go",
		Old: "return http.ErrUseLastResponse }", New: "return nil }",
	},
	{
		Name: "the environment's proxy is used", File: "web/hook/hook.go",
		Old: "			Proxy:                  nil,", New: "			Proxy:                  http.ProxyFromEnvironment,",
	},
	{
		Name: "old TLS will do", File: "web/hook/hook.go",
		Old: "MinVersion: tls.VersionTLS12", New: "MinVersion: tls.VersionTLS10",
	},
	{
		Name: "plain HTTP goes anywhere", File: "web/hook/hook.go",
		Old: "	case mode != smartro.Test || ipErr != nil || !literal.IsLoopback():\n", New: "	case mode != smartro.Test && mode != smartro.Real:\n",
	},
}
