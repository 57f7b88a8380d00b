package app_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gage/app"
	"gage/db/dbtest"
)

const rightPassword = "long enough pass"

func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}) }

// TestSignInWork: a wrong password, a disabled person and a name that nobody has cost one hash each, of the same size.
//
// proves S15
func TestSignInWork(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	gone, err := r.AddStaff(t.Context(), "gone@shop.example", "이직원", app.RoleStaff, rightPassword)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.DisableStaff(t.Context(), r.owner, gone.Email, true); err != nil {
		t.Fatal(err)
	}
	var hashes []string
	r.OnHash(func(password string, memory uint32) { hashes = append(hashes, fmt.Sprint(password, memory)) })
	for i, c := range []struct {
		mail, password string
		err            error
	}{
		{r.owner.Email, rightPassword, nil},
		{r.owner.Email, "a wrong password", app.ErrSignIn},
		{"nobody@shop.example", rightPassword, app.ErrSignIn},
		{gone.Email, rightPassword, app.ErrSignIn},
		{"", rightPassword, app.ErrSignIn},
	} {
		hashes = nil
		if _, err := r.SignIn(t.Context(), c.mail, c.password, address(i)); !errors.Is(err, c.err) {
			t.Errorf("%q: %v, want %v", c.mail, err, c.err)
		}
		if len(hashes) != 1 || hashes[0] != fmt.Sprint(c.password, 19*1024) {
			t.Errorf("%q: hashed %v, want the password once, with 19 MiB", c.mail, hashes)
		}
	}
	kept, err := r.Store.StaffByEmail(t.Context(), r.owner.Email)
	if err != nil || !strings.HasPrefix(kept.PasswordHash.Reveal(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the stored hash is of another kind, %v", err)
	}
}

// TestRightPasswordPaysForNoWrongOnes: who knows one password may not try others from the same address for ever.
//
// proves S15
func TestRightPasswordPaysForNoWrongOnes(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	if _, err := r.AddStaff(t.Context(), "own@shop.example", "이직원", app.RoleStaff, rightPassword); err != nil {
		t.Fatal(err)
	}
	from := address(1)
	taken := 0
	for i := range 20 {
		_, err := r.SignIn(t.Context(), fmt.Sprintf("other%d@shop.example", i), "a wrong password", from)
		if errors.Is(err, app.ErrSignIn) {
			taken++
		}
		if _, err := r.SignIn(t.Context(), "own@shop.example", rightPassword, from); taken < 5 && err != nil {
			t.Fatalf("after %d: %v", taken, err)
		}
	}
	if taken != 5 {
		t.Errorf("%d guesses were taken, want 5", taken)
	}
	if _, err := r.SignIn(t.Context(), "own@shop.example", rightPassword, from); !errors.Is(err, app.ErrThrottled) {
		t.Errorf("a right one from a blocked address: %v", err)
	}
}

// TestLockLasts: fifteen minutes from the failure that locked, not from the first one.
//
// proves S15
func TestLockLasts(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	for i := range 5 {
		if _, err := r.SignIn(t.Context(), r.owner.Email, "a wrong password", address(i)); !errors.Is(err, app.ErrSignIn) {
			t.Fatal(err)
		}
		r.now = r.now.Add(3 * time.Minute)
	}
	r.now = r.now.Add(11 * time.Minute) // 14 after the fifth
	if _, err := r.SignIn(t.Context(), r.owner.Email, rightPassword, address(9)); !errors.Is(err, app.ErrThrottled) {
		t.Errorf("before the end: %v", err)
	}
	r.now = r.now.Add(time.Minute + time.Second)
	if _, err := r.SignIn(t.Context(), r.owner.Email, rightPassword, address(9)); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

// TestOneNetworkIsOneAddress: of IPv6 everybody has as many addresses as they like.
//
// proves S15
func TestOneNetworkIsOneAddress(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	for i := range 6 {
		peer := netip.MustParseAddr(fmt.Sprintf("2001:db8:0:7::%x", i+1))
		want := app.ErrSignIn
		if i == 5 {
			want = app.ErrThrottled
		}
		if _, err := r.SignIn(t.Context(), fmt.Sprintf("other%d@shop.example", i), "a wrong password", peer); !errors.Is(err, want) {
			t.Errorf("%v: %v, want %v", peer, err, want)
		}
	}
	if _, err := r.SignIn(t.Context(), r.owner.Email, rightPassword, netip.MustParseAddr("2001:db8:0:8::1")); err != nil {
		t.Errorf("the network beside it: %v", err)
	}
}

// TestOfficeSignsInAtOnce: people with the right password wait for each other, and nobody is turned away.
//
// proves S15
func TestOfficeSignsInAtOnce(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	const people = 12
	for i := range people {
		if _, err := r.AddStaff(t.Context(), fmt.Sprintf("p%d@shop.example", i), "이직원", app.RoleStaff, rightPassword); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			if _, err := r.SignIn(t.Context(), fmt.Sprintf("p%d@shop.example", i), rightPassword, address(1)); err != nil {
				t.Errorf("person %d: %v", i, err)
			}
		})
	}
	all.Wait()
	// Right ones among wrong ones take nothing from the limit.
	var refused, throttled atomic.Int64
	for i := range 3 * people {
		all.Go(func() {
			_, err := r.SignIn(t.Context(), fmt.Sprintf("nobody%d@shop.example", i), "a wrong password", address(1))
			switch {
			case errors.Is(err, app.ErrSignIn):
				refused.Add(1)
			case errors.Is(err, app.ErrThrottled):
				throttled.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if refused.Load() != 5 || throttled.Load() != 3*people-5 {
		t.Errorf("%d wrong ones were taken and %d turned away", refused.Load(), throttled.Load())
	}
}

// proves S15
func TestGuessablePasswords(t *testing.T) {
	words := strings.Fields(app.Breached)
	if len(words) < 40_000 || strings.Join(words, "\n")+"\n" != app.Breached {
		t.Errorf("%d stolen passwords, one a line", len(words))
	}
	for i := 0; i < len(words); i += 53 {
		if w := words[i]; !app.Guessable(w, "kim@sandeul.example", "김주인") { // as bareWord leaves it, or it would not be found
			t.Fatalf("%q was stolen, and is taken", w)
		}
	}
	for password, want := range map[string]bool{
		"password1234": true, "PASSWORD-1234": true, "P@ssw0rd2026!": true, "qwerty123456": true, "1q2w3e4r5t6y": true, "1qaz2wsx3edc": true,
		"asdfasdf1234": true, "aaaaaaaaaaaa": true, "121212121212": true, "123456789012": true, "비밀번호비밀번호비밀번호": true, "대한민국 화이팅 2026": true,
		"qlalfqjsgh1234": true, "tkfkdgody1004": true, "eogksalsrnr2002": true, "Kim-Kim-2026-!": true, "sandeul-shop-1": true, "김주인김주인김주인123": true,
		"gagegagegage": true, "correct horse battery staple": true, "!!!!!!!!!!!!": true, "            ": true,
		"Mailcreated5240": true, "mail created 5240!": true, "Leave-me-alone": true, "Mailcreated52401": false, "ailcreated5240": false,
		"감귤은 언제나 제주에서 온다": false, "another password": false, "mK9#vR2$xQ7!": false, "tangerines ripen late": false,
	} {
		if got := app.Guessable(password, "kim@sandeul.example", "김주인"); got != want {
			t.Errorf("%q: %v, want %v", password, got, want)
		}
	}
}
