package app_test

import (
	"fmt"
	"path"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestNoticeURLOfEachMode: practice and real money have notification URLs of their own, and what comes on the other's is
// a claim, however well it is signed. A shop of the time when there was one keeps it for both until it makes a new one.
//
// proves S1, S2, I4
func TestNoticeURLOfEachMode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		secret := func() string {
			u, err := r.NoticeURL(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return path.Base(u)
		}
		becomes := func(mid app.MID, mode app.Mode, key smartro.Secret) {
			m, err := r.Merchant(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m.MID, m.Mode, m.Key, m.Endpoints = mid, mode, key, smartro.EndpointsFor(mode)
			if mode == smartro.Real {
				m.CancelPassword = "real-pass"
			}
			if err := r.SetMerchant(t.Context(), r.owner, m); err != nil {
				t.Fatal(err)
			}
		}
		practice := secret()
		old := r.open(1_000, smartro.Card)
		becomes("realshop1m", smartro.Real, thirdKey)
		real := secret()
		if practice == real || practice != r.secret {
			t.Fatal("both modes have one URL")
		}
		tell := func(p app.Payment, serial string, key smartro.Secret, secret string) app.Verdict {
			tid := app.TID(string(p.MID) + "01012611231400" + serial)
			fields := signedWith(key, notice(p, tid, "3001", 1_000))
			return r.receive(app.Arrival{Channel: app.ChannelNotify, Secret: secret, Peer: gatewayAddr, Body: smartro.EncodeForm(fields, smartro.EUCKR)})
		}
		p := r.open(1_000, smartro.Card)
		if v := tell(p, "000001", thirdKey, practice); v != app.VerdictClaim {
			t.Errorf("real money on the URL of practice: %s", v)
		}
		if now := r.payment(p.Moid); !now.PaidAt.IsZero() {
			t.Error("it was paid")
		}
		tell(p, "000001", thirdKey, real)
		r.want(p.Moid, app.Paid)
		tell(old, "000002", smartro.DemoKey, real)
		if now := r.payment(old.Moid); !now.PaidAt.IsZero() {
			t.Error("practice was paid on the URL of real money")
		}
		tell(old, "000002", smartro.DemoKey, practice)
		r.want(old.Moid, app.Paid)

		if err := r.RotateNoticeSecret(t.Context(), r.owner); err != nil {
			t.Fatal(err)
		}
		for i, valid := range []string{secret(), real} {
			p := r.open(1_000, smartro.Card)
			tell(p, fmt.Sprintf("00001%d", i), thirdKey, valid)
			r.want(p.Moid, app.Paid)
		}
		becomes(smartro.DemoMID, smartro.Test, "")
		if secret() != practice {
			t.Error("the URL of practice changed with the other")
		}
	})
}

// TestOneNoticeURLOfOldRecords: in records of the time when there was one URL it is that of both modes; a new one is made
// for the mode of today alone.
//
// proves S1
func TestOneNoticeURLOfOldRecords(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	const newest, older = "NEWESTNEWESTNEWESTNEWEST", "OLDEROLDEROLDEROLDEROLDER"
	if err := r.KeepOneNoticeURL(t.Context(), newest, older); err != nil {
		t.Fatal(err)
	}
	modes := func(secret, want string) {
		t.Helper()
		if got, err := r.NoticeModes(t.Context(), secret); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v; want %s", secret, got, err, want)
		}
	}
	if u, err := r.NoticeURL(t.Context()); err != nil || path.Base(u) != newest {
		t.Errorf("%s, %v", u, err)
	}
	modes(newest, "[both]")
	if err := r.RotateNoticeSecret(t.Context(), r.owner); err != nil {
		t.Fatal(err)
	}
	modes(newest, "[test real]")
	modes(older, "[real]")
	modes("SOMETHINGELSESOMETHINGELSE", "[]")
}
