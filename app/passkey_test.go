package app_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"gage/app"
	"gage/app/apptest"
	"gage/db"
	"gage/db/dbtest"
)

// TestPasskeys: a passkey signs in alone and stands for the password where that is asked again; what is repeated, too
// late, made for another site or purpose, unverified, of a copied device, another's or taken away does not.
//
// proves S15, S16
func TestPasskeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		r := newRig(t, store)
		ctx, boss := t.Context(), r.owner
		site, err := url.Parse("https://shop.example")
		if err != nil {
			t.Fatal(err)
		}
		ps, err := app.NewPasskeys(r.Shop, site)
		if err != nil {
			t.Fatal(err)
		}
		must := func(q app.Challenge, err error) app.Challenge {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			r.now = r.now.Add(time.Second)
			return q
		}
		offer := func(d *apptest.Device) (recovery []string, err error) {
			t.Helper()
			q := must(ps.Offer(ctx, boss))
			return ps.Add(ctx, boss, q.Kept, d.Create(q), "laptop", "")
		}
		d := apptest.NewDevice(t, ps.Origin)
		unverified := *d
		unverified.Unverified = true
		for name, d := range map[string]*apptest.Device{
			"another site": apptest.NewDevice(t, "https://shop.example.net"),
			"unverified":   &unverified,
		} {
			if _, err := offer(d); !errors.Is(err, app.ErrPasskey) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := ps.Add(ctx, boss, "", "{}", " ", ""); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("without a name: %v", err)
		}
		recovery, err := offer(d)
		if err != nil || len(recovery) != 10 {
			t.Fatalf("%d recovery codes, %v", len(recovery), err)
		}
		if _, err := offer(d); !errors.Is(err, app.ErrConflict) {
			t.Errorf("the same twice: %v", err)
		}
		second := apptest.NewDevice(t, ps.Origin)
		if recovery, err := offer(second); err != nil || recovery != nil {
			t.Errorf("a second one gave %d recovery codes, %v", len(recovery), err)
		}
		if who, err := r.SignIn(ctx, boss.Email, "long enough pass", address(1)); !errors.Is(err, app.ErrSecond) || !who.HasSecond {
			t.Errorf("the password alone: %+v, %v", who, err)
		}
		// Who has no app has no codes of one: those of an empty secret are known to everybody.
		if _, err := r.SignInSecond(ctx, boss, phone{t, ""}.at(r.now), address(1)); !errors.Is(err, app.ErrSignIn) {
			t.Errorf("a code of no app: %v", err)
		}
		r.calm(boss, 1)
		if _, err := r.SignInSecond(ctx, boss, recovery[0], address(1)); err != nil {
			t.Errorf("a recovery code: %v", err)
		}

		signIn := func(name, kept, answer string, want error) {
			t.Helper()
			r.calm(boss, 1)
			who, err := ps.SignIn(ctx, kept, answer, address(1))
			if !errors.Is(err, want) || want == nil && who.ID != boss.ID {
				t.Errorf("%s: %q, %v; want %v", name, who.ID, err, want)
			}
		}
		early := must(ps.Ask())
		q := must(ps.Ask())
		answer := d.Sign(q)
		signIn("right", q.Kept, answer, nil)
		signIn("once more", q.Kept, answer, app.ErrSignIn)
		signIn("an older question", early.Kept, d.Sign(early), app.ErrSignIn)
		signIn("the other device's", early.Kept, second.Sign(early), nil)
		q = must(ps.Ask())
		signIn("another question's", q.Kept, answer, app.ErrSignIn)
		signIn("no answer", q.Kept, "{", app.ErrSignIn)
		stranger := apptest.NewDevice(t, ps.Origin)
		signIn("nobody's", q.Kept, stranger.Sign(q), app.ErrSignIn)
		stranger.Handle = []byte("\xff\x00")
		signIn("no text", q.Kept, stranger.Sign(q), app.ErrSignIn)
		stranger.Handle = d.Handle
		signIn("another key", q.Kept, stranger.Sign(q), app.ErrSignIn)
		stranger.ID = d.ID
		signIn("another key under the same name", q.Kept, stranger.Sign(q), app.ErrSignIn)
		elsewhere, copied := *d, *d
		unverified.Handle, unverified.Counter = d.Handle, d.Counter
		elsewhere.Origin, copied.Counter = "https://sh0p.example", 1
		signIn("from another site", q.Kept, elsewhere.Sign(q), app.ErrSignIn)
		signIn("unverified", q.Kept, unverified.Sign(q), app.ErrSignIn)
		signIn("of a copy", q.Kept, copied.Sign(q), app.ErrSignIn)
		again := must(ps.AskAgain(ctx, boss))
		signIn("for another purpose", again.Kept, d.Sign(again), app.ErrPasskeyLate)
		if err := ps.ShowAgain(ctx, boss, q.Kept, d.Sign(q)); !errors.Is(err, app.ErrPasskeyLate) {
			t.Errorf("a sign-in's answer was taken for another: %v", err)
		}
		if err := ps.ShowAgain(ctx, boss, again.Kept, d.Sign(again)); err != nil {
			t.Errorf("shown again: %v", err)
		}
		q = must(ps.Ask())
		r.now = r.now.Add(6 * time.Minute)
		signIn("too late", q.Kept, d.Sign(q), app.ErrPasskeyLate)

		v, err := r.Second(ctx, boss)
		if err != nil || v.App || len(v.Passkeys) != 2 || v.RecoveryLeft != 9 || v.Passkeys[0].UsedAt.IsZero() {
			t.Fatalf("%+v, %v", v, err)
		}
		if err := r.DropPasskey(ctx, boss, v.Passkeys[0].ID()); err != nil {
			t.Fatal(err)
		}
		q = must(ps.Ask())
		signIn("taken away", q.Kept, d.Sign(q), app.ErrSignIn)
		signIn("the one that stays", q.Kept, second.Sign(q), nil)
		if err := r.DropPasskey(ctx, boss, v.Passkeys[1].ID()); err != nil {
			t.Fatal(err)
		}
		if who, err := r.SignIn(ctx, boss.Email, "long enough pass", address(1)); err != nil || who.HasSecond {
			t.Errorf("recovery codes alone are asked for: %+v, %v", who, err)
		}
	})
}

// TestPasskeySites: browsers know passkeys for names only, and this machine's as localhost.
func TestPasskeySites(t *testing.T) {
	for public, want := range map[string]string{
		"https://shop.example":      "https://shop.example",
		"https://Shop.example:8443": "https://shop.example:8443",
		"http://127.0.0.1:8080":     "http://localhost:8080",
		"http://[::1]:8080":         "http://localhost:8080",
		"http://localhost":          "http://localhost",
		"https://192.0.2.7":         "",
		"https://till":              "",
	} {
		u, err := url.Parse(public)
		if err != nil {
			t.Fatal(err)
		}
		ps, err := app.NewPasskeys(nil, u)
		if err != nil {
			t.Errorf("%s: %v", public, err)
		} else if got := ps; (got == nil) != (want == "") || got != nil && got.Origin != want {
			t.Errorf("%s: %+v, want %q", public, got, want)
		}
	}
}
