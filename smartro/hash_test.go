package smartro_test

import (
	"testing"

	"gage/smartro"
)

// TestWorkedHashes pins weblink §3: every worked value, in both forms.
func TestWorkedHashes(t *testing.T) {
	const (
		card  = smartro.TID("gagedemo1m01012006091200011234")
		bank  = smartro.TID("gagedemo1m02012006091200011234")
		vbank = smartro.TID("gagedemo1m03012006091200011234")
	)
	sign := func(tid smartro.TID, code string) func(smartro.HashForm) string {
		return func(f smartro.HashForm) string { return smartro.SignValue(f, tid, code, smartro.DemoKey) }
	}
	part := func(amt smartro.Won, code string) func(smartro.HashForm) string {
		return func(f smartro.HashForm) string { return smartro.HashData(f, card, smartro.DemoKey, amt, code) }
	}
	for _, c := range []struct {
		name        string
		got         func(smartro.HashForm) string
		md5, sha256 string
	}{
		{"EncryptData", func(f smartro.HashForm) string {
			return smartro.EncryptData(f, "20200609120000", smartro.DemoMID, 1004, smartro.DemoKey)
		}, "OGU5MGVlNTkyNDc2YjU2Zjg1ZTY1OWRlZTYxZmQyOWY=", "wTVXxN2Re4Q1qsluDyqGhoOlcICDKRC19dM/Uw/A0oc="},
		{"CARD 3001", sign(card, "3001"), "YTNhOWFkZDFmOGRhNGM2Nzk2MTZiN2E0NzhjMTRhZWE=", "fuP3mP/zkw1cFg7LBi91OrFqOytB4hKFzCBrp+A2ucE="},
		{"BANK 4000", sign(bank, "4000"), "NzgwZmU4ZDY5ZWUwZjI4NTRlYTk0YzE5YmFiMWI4MTE=", "PlNuT/0sRrWaDSeWNKWwJGSGOkcrc3pfVkkafmgVFhE="},
		{"VBANK 4100", sign(vbank, "4100"), "MDhiMjExYzg5YmFkMjZjOWI1OTIyOGI0Y2UzMzI2NGU=", "15D4SVo1Mz4tsVHHp/60FNBbqhzmOV9Bj8isiC7p6uc="},
		{"VBANK 4110", sign(vbank, "4110"), "MTM1YTYwNDc3ZDJkYTgzNDdjZjQ3YzM3YjA3YTI1YTM=", "dW9foMz2Zil9r41XOxkR6Kz/bS4Cf9QMKWoXhUp0MVc="},
		{"cancel 2001", sign(card, "2001"), "OThmM2UwMGI3Mzg0NWUyNWE5NDlmNWQ1N2JjZDNjOGI=", "ocVQThc8YTqqvwYg+d+vCiZB8zsYFp86IrDetX+l5xY="},
		{"hashData whole", part(1004, "0"), "NGM5NzJjYzk0NjRhMmYzZjBhNjRiNmZjNmM4ZjYyOWM=", "VYDZh/E+iEs0NGiH62MIdvGlycOToiz1//LZnznNW2I="},
		{"hashData part", part(100, "1"), "MTNhMzIxYWU3MjE0ZTM0Y2Y3MDJmY2RmY2M0MjU2YTQ=", "M8tuAzahn1ORp97nsI9DUxY+Lr9n7qLfanGUPatWbw0="},
	} {
		if got := c.got(smartro.MD5); got != c.md5 {
			t.Errorf("%s md5 = %s, want %s", c.name, got, c.md5)
		}
		if got := c.got(smartro.SHA256); got != c.sha256 {
			t.Errorf("%s sha256 = %s, want %s", c.name, got, c.sha256)
		}
	}
	if smartro.EqualHash("", smartro.SignValue("md4", card, "3001", smartro.DemoKey)) {
		t.Error("an unknown form signed something")
	}
}

// TestSignatureBits flips every bit of a signature, the TID and the result code.
//
// proves S4
func TestSignatureBits(t *testing.T) {
	for _, form := range []smartro.HashForm{smartro.MD5, smartro.SHA256} {
		m := merchant()
		m.Hash = form
		good := smartro.Notice{MID: m.MID, TID: "gagedemo1m01012006091200011234", ResultCode: "3001"}
		good.SignValue = smartro.SignValue(form, good.TID, good.ResultCode, m.Key)
		if err := good.Verify(m); err != nil {
			t.Fatal(err)
		}
		flip := func(s string, bit int) string {
			b := []byte(s)
			b[bit/8] ^= 1 << (bit % 8)
			return string(b)
		}
		for bit := range len(good.SignValue) * 8 {
			n := good
			n.SignValue = flip(n.SignValue, bit)
			if n.Verify(m) == nil {
				t.Errorf("%s: signature bit %d flipped, still believed", form, bit)
			}
		}
		for bit := range len(good.TID) * 8 {
			n := good
			n.TID = smartro.TID(flip(string(n.TID), bit))
			if n.Verify(m) == nil {
				t.Errorf("%s: TID bit %d flipped, still believed", form, bit)
			}
		}
		for bit := range len(good.ResultCode) * 8 {
			n := good
			n.ResultCode = flip(n.ResultCode, bit)
			if n.Verify(m) == nil {
				t.Errorf("%s: result code bit %d flipped, still believed", form, bit)
			}
		}
		other := m
		other.Hash = map[smartro.HashForm]smartro.HashForm{smartro.MD5: smartro.SHA256, smartro.SHA256: smartro.MD5}[form]
		if good.Verify(other) == nil {
			t.Errorf("%s: believed where only the other form may be", form)
		}
		keyless := m
		keyless.Key = ""
		n := good
		n.SignValue = smartro.SignValue(form, n.TID, n.ResultCode, "")
		if n.Verify(keyless) == nil {
			t.Errorf("%s: believed without a key", form)
		}
	}
}
