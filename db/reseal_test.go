package db_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// ring is a key ring whose keys are told by a number each.
func ring(t *testing.T, keys ...byte) *app.Keyring {
	t.Helper()
	var raw [][]byte
	for _, k := range keys {
		raw = append(raw, bytes.Repeat([]byte{k}, app.KeySize))
	}
	r, err := app.NewKeyring(raw...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sealedThings writes one value into each place that the ring itself seals.
func sealedThings(t *testing.T, s *db.Store, k *app.Keyring) {
	t.Helper()
	fill(t, s)
	update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
		return errors.Join(tx.SetSetting(ctx, "merchants", k.Seal("setting/merchants", []byte("a contract"))),
			tx.SaveSession(ctx, app.Session{Hash: "h1", StaffID: "s1", Data: k.Seal("session/h1", []byte("a session")), CreatedAt: at, SeenAt: at, ExpiresAt: at.AddDate(1, 0, 0)}))
	})
}

// TestReseal: the key ring is rotated without touching what it sealed, wherever it is broken off and begun again. Then
// the retired key opens nothing, and a server that still has it can write nothing that would be lost.
//
// proves S19
func TestReseal(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place db.Config) {
		with := func(k *app.Keyring, f func(s *db.Store)) error {
			place.Keys = k
			s, err := db.Open(t.Context(), place)
			if err != nil {
				return err
			}
			f(s)
			return s.Close()
		}
		must := func(k *app.Keyring, f func(s *db.Store)) {
			t.Helper()
			if err := with(k, f); err != nil {
				t.Fatal(err)
			}
		}
		whole := func(s *db.Store, k *app.Keyring) {
			t.Helper()
			o, err1 := s.Order(t.Context(), "ABCD2345")
			m, err2 := s.Message(t.Context(), "m1")
			sealed, err3 := s.Setting(t.Context(), "merchants")
			v, err4 := s.Session(t.Context(), "h1")
			contract, err5 := k.Open("setting/merchants", sealed)
			session, err6 := k.Open("session/h1", v.Data)
			if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil || o.BuyerName != "김철수" || len(m.Raw) == 0 || string(contract) != "a contract" || string(session) != "a session" {
				t.Errorf("%+v, %d bytes, %q, %q: %v", o.BuyerName, len(m.Raw), contract, session, err)
			}
			if _, list := faults(t, s); len(list) > 0 {
				t.Error(list)
			}
		}
		must(ring(t, 1), func(s *db.Store) {
			sealedThings(t, s, ring(t, 1))
			if n, err := s.Reseal(t.Context(), func() {}); n != 0 || err != nil {
				t.Errorf("nothing to rotate: %d, %v", n, err)
			}
		})
		points, sum := 0, 0
		for end := false; !end; points++ { // broken off after one transaction more each time
			must(ring(t, 2, 1), func(s *db.Store) {
				ctx, stop := context.WithCancel(t.Context())
				passed := 0
				n, err := s.Reseal(ctx, func() {
					if passed++; passed > points {
						stop()
					}
				})
				end = err == nil
				stop()
				sum += n
				whole(s, ring(t, 2, 1))
			})
		}
		if points < 4 || sum < 6 { // the index, the ring, the order, the message; a setting; a session
			t.Errorf("%d points, %d values", points, sum)
		}
		must(ring(t, 1, 2), func(s *db.Store) { // a server that seals with the old one
			err := s.Update(t.Context(), func(tx app.Tx) error {
				_, _, err := tx.AddMessage(t.Context(), app.Message{ID: "m2", Channel: app.ChannelNotify, At: at, Raw: []byte("late"), Dedupe: "d2"})
				return err
			})
			if err == nil {
				t.Error("something was sealed with the replaced key")
			}
		})
		must(ring(t, 2), func(s *db.Store) {
			whole(s, ring(t, 2))
			if n, err := s.Reseal(t.Context(), func() {}); n != 0 || err != nil {
				t.Errorf("once more: %d, %v", n, err)
			}
			update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
				_, _, err := tx.AddMessage(ctx, app.Message{ID: "m3", Channel: app.ChannelNotify, At: at, Raw: []byte("new"), Dedupe: "d3"})
				return err
			})
		})
		if err := with(ring(t, 1), func(*db.Store) {}); !errors.Is(err, app.ErrWrongKey) {
			t.Errorf("the retired key: %v", err)
		}
	})
}
