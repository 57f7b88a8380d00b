package hook

import "net/netip"

// allowed says whether an address may be reached: it is the Internet's, or listed by the owner of the machine.
func (c Client) allowed(a netip.Addr) bool {
	if a.Zone() != "" || a.Is4In6() {
		return false // written so as to be taken for another
	}
	for _, p := range c.Listed {
		if p.Contains(a) {
			return true
		}
	}
	return onInternet(a)
}

// onInternet says whether an address belongs to a host on the Internet: none of this machine's, of this network's, of a
// group's, of an examples' or tests', and none that carries another address inside. IPv6 is allowed only where hosts
// have their addresses, IPv4 everywhere but where they have none.
func onInternet(a netip.Addr) bool {
	if a.Is6() && !hosts6.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// hosts6 is where hosts on the Internet have their IPv6 addresses. Outside of it are loopback, link-local, unique local
// and multicast ones, those that stand for IPv4 addresses (::ffff:0:0/96) and those of NAT64 (64:ff9b::/96).
var hosts6 = netip.MustParsePrefix("2000::/3")

// special are the networks of the IANA registries of special-purpose addresses that lie where hosts could be, and
// addresses at which clouds tell a machine its secrets.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // a cloud's, in the middle of the Internet's
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, text := range list {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}
