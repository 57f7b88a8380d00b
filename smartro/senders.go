package smartro

import "net/netip"

// PublishedSenders lists the addresses from which the gateway says that it sends retry notifications (weblink
// §1, Firewall). Published lists disagree; this is their union. An address proves nothing without the signature.
func PublishedSenders(mode Mode) []netip.Addr {
	list := []string{"211.193.35.7", "211.193.35.11"}
	if mode == Real {
		list = []string{"211.193.35.215", "211.193.35.216", "211.193.35.217"}
	}
	out := make([]netip.Addr, len(list))
	for i, a := range list {
		out[i] = netip.MustParseAddr(a)
	}
	return out
}
