package db_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// cutter stands between a store and its PostgreSQL and cuts connections at COMMIT.
type cutter struct {
	to      string
	cutting atomic.Bool
	before  atomic.Int64 // cut before the server got the COMMIT
	after   atomic.Int64 // the server answered it, and nobody heard
	between atomic.Int64 // the server got it, and then there was no connection
}

func startCutter(t *testing.T, target string) (*cutter, net.Addr) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &cutter{to: target}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(client)
		}
	}()
	return c, l.Addr()
}

func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer server.Close()
	var deaf atomic.Bool // what the server says is not passed on
	answered := make(chan struct{})
	go func() {
		defer client.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := server.Read(buf)
			if deaf.Load() {
				close(answered)
				return
			}
			if _, gone := client.Write(buf[:n]); err != nil || gone != nil {
				return
			}
		}
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := client.Read(buf)
		said := buf[:n]
		if c.cutting.Load() && bytes.Contains(said, []byte("commit\x00")) {
			switch rand.IntN(6) {
			case 0:
				c.before.Add(1)
				return
			case 1:
				deaf.Store(true)
				c.after.Add(1)
				if _, err := server.Write(said); err == nil {
					<-answered
				}
				return
			case 2:
				deaf.Store(true)
				c.between.Add(1)
				server.Write(said)
				return
			}
		}
		if _, gone := server.Write(said); err != nil || gone != nil {
			return
		}
	}
}

// through names the same database by way of the cutter.
func through(t *testing.T, place smartro.Secret) (smartro.Secret, *cutter) {
	t.Helper()
	u, err := url.Parse(place.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	c, addr := startCutter(t, u.Host)
	u.Host = addr.String()
	return smartro.Secret(u.String()), c
}

// TestConnectionLostAtCommit cuts connections at COMMIT, before and after the server got it: what was answered with
// success is there once, what was answered with an error is not there.
//
// proves R32, I1, I2
func TestConnectionLostAtCommit(t *testing.T) {
	place := dbtest.PostgresURL(t)
	cut, cutter := through(t, place)
	s := dbtest.Open(t, db.Config{URL: cut, Keys: dbtest.Keys(t)})
	cutter.cutting.Store(true)
	const workers, each = 4, 40
	var failed atomic.Int64
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range each {
				who := fmt.Sprintf("w%d-%d", w, i)
				err := s.Update(t.Context(), func(tx app.Tx) error {
					_, err := tx.AppendEvent(t.Context(), app.Event{Kind: app.Reconciled, Level: app.T4, Actor: who})
					return err
				})
				if n := written(t, s, who); err == nil && n != 1 || err != nil && n != 0 {
					t.Errorf("%s is there %d times, and the answer was %v", who, n, err)
				}
				if err != nil {
					failed.Add(1)
				}
			}
		})
	}
	group.Wait()
	cutter.cutting.Store(false)
	t.Logf("cut before %d, after %d, between %d; %d of %d ended in an error", cutter.before.Load(), cutter.after.Load(), cutter.between.Load(), failed.Load(), workers*each)
	if cutter.before.Load() == 0 || cutter.after.Load() == 0 || cutter.between.Load() == 0 {
		t.Error("not every kind of cut happened")
	}
	v, err := s.Verify(t.Context(), nil, func(fault string) { t.Error(fault) })
	if err != nil || v.Head.Seq < workers*each-failed.Load() {
		t.Errorf("verified up to %d, %v", v.Head.Seq, err)
	}
}

// TestLeaverAtCommit: whoever stops waiting while the connection breaks hears no success of what is not there.
//
// proves R32
func TestLeaverAtCommit(t *testing.T) {
	cut, cutter := through(t, dbtest.PostgresURL(t))
	s := dbtest.Open(t, db.Config{URL: cut, Keys: dbtest.Keys(t)})
	cutter.cutting.Store(true)
	for i := range 40 {
		ctx, leave := context.WithCancel(t.Context())
		who := fmt.Sprintf("l%d", i)
		err := s.Update(ctx, func(tx app.Tx) error {
			if _, err := tx.AppendEvent(t.Context(), app.Event{Kind: app.Reconciled, Level: app.T4, Actor: who}); err != nil {
				return err
			}
			go leave()
			return nil
		})
		leave()
		if n := written(t, s, who); err == nil && n != 1 || n > 1 {
			t.Errorf("%s is there %d times, and the answer was %v", who, n, err)
		}
	}
}

// written counts the shop's events of one actor.
func written(t *testing.T, s *db.Store, who string) (n int) {
	list, err := s.Events(t.Context(), "")
	if err != nil {
		t.Error(err)
	}
	for _, e := range list {
		if e.Actor == who {
			n++
		}
	}
	return n
}
