package app_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// phone is somebody's app: it shows codes.
type phone struct {
	t      *testing.T
	secret app.Secret
}

// at is what the app shows at a time.
func (p phone) at(now time.Time) string {
	p.t.Helper()
	code, err := totp.GenerateCode(p.secret.Reveal(), now)
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// enrolled gives who a second factor.
func (r *rig) enrolled(who app.Staff) (phone, []string) {
	r.t.Helper()
	secret, url, err := r.NewSecond(r.t.Context(), who)
	if err != nil || !strings.HasPrefix(url, "otpauth://totp/") || !strings.Contains(url, "secret="+secret.Reveal()) {
		r.t.Fatalf("%q, %v", url, err)
	}
	p := phone{r.t, secret}
	recovery, err := r.Enrol(r.t.Context(), who, secret, p.at(r.now), "")
	if err != nil {
		r.t.Fatal(err)
	}
	return p, recovery
}

// calm forgets the failures, which have tests of their own.
func (r *rig) calm(who app.Staff, from int) {
	r.t.Helper()
	err := r.Store.Update(r.t.Context(), func(tx app.Tx) error {
		return errors.Join(tx.ClearAttempts(r.t.Context(), "address "+address(from).String()),
			tx.ClearAttempts(r.t.Context(), fmt.Sprintf("account %x", sha256.Sum256([]byte(who.Email)))))
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestSecondFactor: the password alone is half of a sign-in; a code is taken once, by whichever program and after any
// restart, and one step early or late; recovery codes once each; who lost both is helped by the owner alone.
//
// proves S15, S16
func TestSecondFactor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		r := newRig(t, store)
		ctx, boss := t.Context(), r.owner
		secret, _, err := r.NewSecond(ctx, boss)
		if err != nil {
			t.Fatal(err)
		}
		app1 := phone{t, secret}
		for _, wrong := range []string{"", "000000", app1.at(r.now.Add(-2 * time.Minute)), app1.at(r.now) + "0"} {
			if _, err := r.Enrol(ctx, boss, secret, wrong, ""); !errors.Is(err, app.ErrSignIn) {
				t.Errorf("enrolled with %q: %v", wrong, err)
			}
		}
		mine, recovery := r.enrolled(boss)
		if _, err := r.Enrol(ctx, boss, secret, app1.at(r.now), ""); !errors.Is(err, app.ErrConflict) {
			t.Errorf("a second factor replaced another: %v", err)
		}
		who, err := r.SignIn(ctx, boss.Email, "long enough pass", address(1))
		if !errors.Is(err, app.ErrSecond) || who.ID != boss.ID || !who.HasSecond {
			t.Fatalf("the password alone: %+v, %v", who, err)
		}
		try := func(shop *app.Shop, code string, want error) {
			t.Helper()
			r.calm(boss, 1)
			if _, err := shop.SignInSecond(ctx, boss, code, address(1)); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", code, err, want)
			}
		}
		restarted := rigOn(t, store)
		restarted.now = r.now
		try(r.Shop, mine.at(r.now), app.ErrSignIn) // it enrolled with this one
		try(restarted.Shop, mine.at(r.now), app.ErrSignIn)
		restarted.now = r.now
		next := mine.at(r.now.Add(30 * time.Second))
		try(r.Shop, next[:3]+" "+next[3:], nil) // one step early
		try(restarted.Shop, next, app.ErrSignIn)
		try(r.Shop, mine.at(r.now), app.ErrSignIn) // older than the last
		try(r.Shop, mine.at(r.now.Add(time.Minute)), app.ErrSignIn)
		r.now = r.now.Add(2 * time.Minute)
		try(r.Shop, mine.at(r.now.Add(-time.Minute)), app.ErrSignIn)
		try(r.Shop, mine.at(r.now.Add(-30*time.Second)), nil)
		if err := r.TypeAgain(ctx, boss, "long enough pass", mine.at(r.now)); err != nil {
			t.Error(err)
		}
		r.now = r.now.Add(time.Minute)
		r.calm(boss, 1)
		for _, c := range [][2]string{{"long enough pass", ""}, {"long enough pass", "123"}, {"a wrong password", mine.at(r.now)}} {
			if err := r.TypeAgain(ctx, boss, c[0], c[1]); !errors.Is(err, app.ErrSignIn) {
				t.Errorf("typed again %q: %v", c, err)
			}
		}
		try(r.Shop, mine.at(r.now), nil) // a code beside a wrong password was not used up

		if len(recovery) != 10 {
			t.Fatalf("%d recovery codes", len(recovery))
		}
		try(r.Shop, strings.ToLower(recovery[3]), nil)
		try(restarted.Shop, recovery[3], app.ErrSignIn)
		if v, err := r.Second(ctx, boss); err != nil || v.RecoveryLeft != 9 {
			t.Errorf("%d left, %v", v.RecoveryLeft, err)
		}
		fresh, err := r.NewRecovery(ctx, boss)
		if err != nil {
			t.Fatal(err)
		}
		try(r.Shop, recovery[4], app.ErrSignIn)
		try(r.Shop, fresh[0], nil)

		clerk, err := r.AddStaff(ctx, "kim@shop.example", "김직원", app.RoleManager, rightPassword)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ResetSecond(ctx, clerk, boss.Email); !errors.Is(err, app.ErrForbidden) {
			t.Errorf("the manager resets the owner's: %v", err)
		}
		r.enrolled(clerk)
		if err := errors.Join(r.ResetSecond(ctx, boss, clerk.Email), r.DropSecond(ctx, boss)); err != nil {
			t.Fatal(err)
		}
		if err := r.ResetSecond(ctx, boss, clerk.Email); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("reset what is not there: %v", err)
		}
		r.calm(boss, 1)
		if _, err := r.SignInSecond(ctx, boss, "", address(1)); !errors.Is(err, app.ErrSignIn) {
			t.Errorf("signed in without password and code: %v", err)
		}
		for _, p := range []app.Staff{boss, clerk} {
			if _, err := r.SignIn(ctx, p.Email, map[bool]string{true: "long enough pass", false: rightPassword}[p.ID == boss.ID], address(1)); err != nil {
				t.Errorf("%s without a second factor: %v", p.Email, err)
			}
		}
		dbtest.Whole(t, store)
	})
}

// TestSecondFactorLocks: who knows the password may not try codes for ever, however often they begin anew.
//
// proves S15
func TestSecondFactorLocks(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	mine, _ := r.enrolled(r.owner)
	r.now = r.now.Add(time.Minute)
	for i := range 5 {
		if _, err := r.SignIn(t.Context(), r.owner.Email, "long enough pass", address(i)); !errors.Is(err, app.ErrSecond) {
			t.Fatal(i, err)
		}
		if _, err := r.SignInSecond(t.Context(), r.owner, "000000", address(i)); !errors.Is(err, app.ErrSignIn) {
			t.Fatal(i, err)
		}
	}
	if _, err := r.SignIn(t.Context(), r.owner.Email, "long enough pass", address(9)); !errors.Is(err, app.ErrThrottled) {
		t.Errorf("the password after five wrong codes: %v", err)
	}
	if _, err := r.SignInSecond(t.Context(), r.owner, mine.at(r.now), address(9)); !errors.Is(err, app.ErrThrottled) {
		t.Errorf("the right code after five wrong ones: %v", err)
	}
	r.now = r.now.Add(15*time.Minute + time.Second)
	if _, err := r.SignInSecond(t.Context(), r.owner, mine.at(r.now), address(9)); err != nil {
		t.Errorf("after a quarter of an hour: %v", err)
	}
}

// TestSecondFactorClock: a clock that goes back makes no old code good, after a restart neither; recovery codes know no
// time.
//
// proves R26, S15
func TestSecondFactorClock(t *testing.T) {
	store := dbtest.SQLite(t)
	r := newRig(t, store)
	mine, recovery := r.enrolled(r.owner)
	r.now = r.now.Add(10 * time.Minute)
	seen := mine.at(r.now.Add(-5 * time.Minute)) // over a shoulder; nobody used it
	if _, err := r.SignInSecond(t.Context(), r.owner, mine.at(r.now), address(1)); err != nil {
		t.Fatal(err)
	}
	restarted := rigOn(t, store)
	for back, want := range map[time.Duration]error{5 * time.Minute: app.ErrClock, 2 * time.Minute: app.ErrClock, 26 * time.Hour: app.ErrClock} {
		for _, shop := range []*rig{r, restarted} {
			shop.now = at.Add(10*time.Minute - back)
			if _, err := shop.SignInSecond(t.Context(), r.owner, seen, address(2)); !errors.Is(err, want) {
				t.Errorf("%v back: %v, want %v", back, err, want)
			}
			shop.calm(r.owner, 2)
		}
	}
	r.now = at.Add(5 * time.Minute)
	if _, err := r.SignInSecond(t.Context(), r.owner, recovery[0], address(3)); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
}

// TestRaceCodes: the same code, shown to many programs at once, opens one door; so does a recovery code.
//
// proves S15
func TestRaceCodes(t *testing.T) {
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		crowd := newCrowd(t, stores, new(atomic.Pointer[purse]))
		mine, recovery := crowd[0].enrolled(crowd[0].owner)
		for _, r := range crowd {
			r.now = r.now.Add(time.Minute)
		}
		for _, name := range []string{"code", "recovery code"} {
			code := mine.at(crowd[0].now)
			if name != "code" {
				code = recovery[0]
			}
			var in atomic.Int64
			var all sync.WaitGroup
			for i := range 4 { // below the limit of failures
				r := crowd[i%len(crowd)]
				all.Go(func() {
					_, err := r.SignInSecond(t.Context(), r.owner, code, address(i))
					if err == nil {
						in.Add(1)
					} else if !errors.Is(err, app.ErrSignIn) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if in.Load() != 1 {
				t.Errorf("the same %s was good %d times", name, in.Load())
			}
			for _, r := range crowd {
				r.now = r.now.Add(16 * time.Minute)
			}
		}
		dbtest.Whole(t, stores[0])
	})
}

// TestSecondFactorAtRest: neither the app's secret nor a recovery code stands in the database or its dump.
//
// proves S19
func TestSecondFactorAtRest(t *testing.T) {
	place := dbtest.File(t)
	r := newRig(t, dbtest.Open(t, place))
	mine, recovery := r.enrolled(r.owner)
	if err := r.Store.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{place.Path, place.Path + "-wal"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range append(recovery, mine.secret.Reveal(), strings.ReplaceAll(recovery[0], "-", "")) {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s tells a secret", name)
			}
		}
	}
}

// TestSecondRule: the owner says who has to have a second factor, once they have their own. Before they did, nobody has
// to while the shop practises, and everybody from the moment on at which it can take real money.
//
// proves S16
func TestSecondRule(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	ctx := t.Context()
	asked := func(rule app.SecondRule) {
		t.Helper()
		for _, role := range app.Roles() {
			must, err := r.MustEnrol(ctx, app.Staff{ID: "x", Role: role})
			has, err2 := r.MustEnrol(ctx, app.Staff{ID: "x", Role: role, HasSecond: true})
			want := rule == app.SecondForAll || rule == app.SecondForMoney && role.MovesMoney()
			if err != nil || err2 != nil || must != want || has {
				t.Errorf("%s: %s must: %v, %v", rule, role, must, errors.Join(err, err2))
			}
		}
		if got, err := r.SecondRule(ctx); got != rule || err != nil {
			t.Errorf("rule: %q, %v; want %q", got, err, rule)
		}
	}
	asked(app.SecondForNobody)
	real, err := r.Merchant(ctx)
	if err != nil {
		t.Fatal(err)
	}
	real.MID, real.Mode, real.Key, real.CancelPassword, real.Endpoints = "realshop1m", smartro.Real, thirdKey, "real-pass", smartro.EndpointsFor(smartro.Real)
	if err := r.SetMerchant(ctx, r.owner, real); err != nil {
		t.Fatal(err)
	}
	asked(app.SecondForAll)
	for _, rule := range []app.SecondRule{app.SecondForMoney, app.SecondForAll} {
		if err := r.SetSecondRule(ctx, r.owner, rule); !errors.Is(err, app.ErrConflict) {
			t.Errorf("%s by who has none: %v", rule, err)
		}
	}
	if err := r.SetSecondRule(ctx, app.Staff{ID: "m", Role: app.RoleManager}, app.SecondForAll); !errors.Is(err, app.ErrForbidden) {
		t.Errorf("by the manager: %v", err)
	}
	r.enrolled(r.owner)
	for _, rule := range app.SecondRules() {
		if err := r.SetSecondRule(ctx, r.owner, rule); err != nil {
			t.Fatal(err)
		}
		asked(rule)
	}
	if err := r.SetSecondRule(ctx, r.owner, "required, or not"); !errors.Is(err, app.ErrBadInput) {
		t.Errorf("a rule that there is not: %v", err)
	}
	err = r.Store.Update(ctx, func(tx app.Tx) error { return tx.SetSetting(ctx, "second_factor", "") })
	if err != nil {
		t.Fatal(err)
	}
	asked(app.SecondForNobody) // as an older program wrote it
}

// TestRoles: a role is changed by the owner, ends the person's sessions and stands in the record with before and after;
// nobody changes their own; the last owner stays one, when two owners demote each other at the same moment, too.
//
// proves S14, S16, S21
func TestRoles(t *testing.T) {
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		crowd := newCrowd(t, stores, new(atomic.Pointer[purse]))
		r, ctx := crowd[0], t.Context()
		kim, err := r.AddStaff(ctx, "kim@shop.example", "김직원", app.RoleStaff, rightPassword)
		if err != nil {
			t.Fatal(err)
		}
		err = r.Store.Update(ctx, func(tx app.Tx) error {
			return tx.SaveSession(ctx, app.Session{Hash: "s", StaffID: kim.ID, CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(time.Hour)})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			who  app.Staff
			mail string
			role app.Role
			want error
		}{
			{kim, kim.Email, app.RoleOwner, app.ErrForbidden},
			{r.owner, r.owner.Email, app.RoleStaff, app.ErrForbidden},
			{r.owner, kim.Email, "king", app.ErrBadInput},
			{r.owner, "nobody@shop.example", app.RoleStaff, app.ErrNotFound},
			{app.Staff{ID: "operator", Role: app.RoleOwner}, r.owner.Email, app.RoleStaff, app.ErrForbidden}, // the last one
			{r.owner, kim.Email, app.RoleStaff, nil},
		} {
			if err := r.SetRole(ctx, c.who, c.mail, c.role); !errors.Is(err, c.want) {
				t.Errorf("%s makes %s %s: %v, want %v", c.who.ID, c.mail, c.role, err, c.want)
			}
		}
		if _, err := r.Store.Session(ctx, "s"); err != nil {
			t.Errorf("a session ended though nothing was changed: %v", err)
		}
		if err := r.SetRole(ctx, r.owner, kim.Email, app.RoleOwner); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Store.Session(ctx, "s"); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("the session outlived the change: %v", err)
		}
		list, err := r.Accesses(ctx, r.owner, app.AccessQuery{Kinds: []app.AccessKind{app.ChangedRole}, Limit: 10})
		if err != nil || len(list) != 1 || list[0].Words != "staff → owner" || list[0].Subject != kim.ID || list[0].StaffID != r.owner.ID {
			t.Errorf("recorded %+v, %v", list, err)
		}
		kim.Role = app.RoleOwner
		var all sync.WaitGroup
		for i, pair := range [][2]app.Staff{{r.owner, kim}, {kim, r.owner}} {
			all.Go(func() {
				err := crowd[i%len(crowd)].SetRole(ctx, pair[0], pair[1].Email, app.RoleViewer)
				if err != nil && !errors.Is(err, app.ErrForbidden) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		people, err := r.Staff(ctx)
		owners := 0
		for _, p := range people {
			if p.Role == app.RoleOwner {
				owners++
			}
		}
		if err != nil || owners != 1 {
			t.Errorf("%d owners are left, %v", owners, err)
		}
		dbtest.Whole(t, stores[0])
	})
}
