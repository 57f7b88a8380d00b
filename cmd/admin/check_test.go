package main

import "testing"

// TestSite: an owner may write the shop's name as people read it; browsers ask for it in ASCII.
func TestSite(t *testing.T) {
	for raw, want := range map[string]string{
		"https://shop.example/": "https://shop.example", "https://Shop.example:8443": "https://Shop.example:8443",
		"https://산들바람.kr": "https://xn--py1bk4coyf2yf.kr", "https://pay.산들바람.kr:8443/": "https://pay.xn--py1bk4coyf2yf.kr:8443",
		"https://[2001:db8::1]:8443": "https://[2001:db8::1]:8443", "http://127.0.0.1:8080": "http://127.0.0.1:8080",
		"https://산들\u00a0바람.kr": "", "https://": "", "https://%zz": "", "": "",
	} {
		var f faults
		got := f.site("public-url", raw)
		if (f.err() == nil) != (want != "") || want != "" && got != want {
			t.Errorf("%q: %q, %v; want %q", raw, got, f.err(), want)
		}
	}
}
