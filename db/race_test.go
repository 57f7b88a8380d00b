package db_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// gate lets what is written through after it was opened. It tells when the first of it came.
type gate struct {
	to      io.Writer
	came    chan struct{}
	open    chan struct{}
	arrived sync.Once
}

func (g *gate) Write(p []byte) (int, error) {
	g.arrived.Do(func() { close(g.came) })
	<-g.open
	return g.to.Write(p)
}

// TestRaceReaders: readers that hold their moment for as long as the writers write, a backup that stands still half way
// and verifying over and over: the writers go on, nothing that they were told is stored is lost, and each reader sees
// one moment.
//
// proves R4, R40, I1
func TestRaceReaders(t *testing.T) {
	writers := dbtest.Scale(t, "GAGE_RACE_WRITERS", 8)
	each := dbtest.Scale(t, "GAGE_RACE_WRITES", 10)
	dbtest.EachPlace(t, func(t *testing.T, place db.Config) {
		s := dbtest.Open(t, place)
		write := func(no app.OrderNo) error {
			m := app.Message{
				ID: "m" + string(no), Channel: app.ChannelNotify, At: at, Raw: []byte(strings.Repeat("x", 1<<10)), Dedupe: "d" + string(no), OrderNo: no,
			}
			return s.Update(t.Context(), func(tx app.Tx) error {
				if err := errors.Join(tx.CreateOrder(t.Context(), order(no)), tx.CreatePayment(t.Context(), opening(no)),
					tx.AddJob(t.Context(), app.Job{ID: "j" + string(no), Kind: app.JobExpire, Ref: string(opening(no).Moid), DueAt: at})); err != nil {
					return err
				}
				p := opening(no)
				e := app.Event{At: at, Kind: app.FormServed, Level: app.T0, OrderNo: no, Moid: p.Moid, Mode: p.Mode, MID: p.MID, From: app.New, To: app.Opened, Proof: app.ProofNone}
				seq, err := tx.AppendEvent(t.Context(), e)
				if err != nil {
					return err
				}
				e.Seq = seq
				_, _, err = tx.AddMessage(t.Context(), m)
				return errors.Join(err, tx.SavePayment(t.Context(), p.Apply(e)))
			})
		}
		for i := range 60 { // more than a backup's buffer holds
			if err := write(app.OrderNo(fmt.Sprintf("A%07d", i))); err != nil {
				t.Fatal(err)
			}
		}
		src, err := db.OpenSource(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		pipe, in := io.Pipe()
		slow := &gate{to: in, came: make(chan struct{}), open: make(chan struct{})}
		go func() {
			_, _, err := src.Dump(t.Context(), slow, db.DumpHeader{})
			slow.arrived.Do(func() { close(slow.came) }) // it failed before it wrote
			in.CloseWithError(err)
		}()
		<-slow.came
		ctx, stop := context.WithCancel(t.Context())
		var readers, crowd sync.WaitGroup
		var looks atomic.Int64
		for range 2 {
			readers.Go(func() {
				for first := true; first || ctx.Err() == nil; first = false {
					dbtest.Whole(t, s)
					looks.Add(1)
				}
			})
		}
		for w := range writers {
			crowd.Go(func() {
				for i := range each {
					if err := write(app.OrderNo(fmt.Sprintf("B%02d%05d", w, i))); err != nil {
						t.Errorf("a writer beside readers: %v", err)
					}
				}
			})
		}
		crowd.Wait()
		stop()
		readers.Wait()
		close(slow.open)
		h, totals, err := db.CheckDump(t.Context(), pipe)
		if err != nil || totals["orders"].Rows != 60 || totals["messages"].Rows != 60 || totals["events"].Rows != h.LastEvent {
			t.Errorf("a backup that began before the writers: %d orders, %d messages, %d of %d events, %v",
				totals["orders"].Rows, totals["messages"].Rows, totals["events"].Rows, h.LastEvent, err)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
		for w := range writers {
			for i := range each {
				no := app.OrderNo(fmt.Sprintf("B%02d%05d", w, i))
				if m, err := s.Message(t.Context(), "m"+string(no)); err != nil || len(m.Raw) != 1<<10 {
					t.Fatalf("%s was stored and is gone: %v", no, err)
				}
			}
		}
		dbtest.Whole(t, s)
		t.Logf("reached: %d durable writes beside readers", writers*each)
		t.Logf("reached: %d looks at one moment beside writers", looks.Load())
	})
}

// TestRepeatWaitsForNobody: while a writer has the disk to itself, a message that is stored is known again at once, and
// one that is about to be stored is not known yet. The copies are counted by what is written next.
//
// proves R4, I1
func TestRepeatWaitsForNobody(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place db.Config) {
		s, err := db.Open(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		add := func(tx app.Tx, id string) error {
			_, _, err := tx.AddMessage(ctx, app.Message{ID: id, Channel: app.ChannelNotify, At: at, Dedupe: "d" + id})
			return err
		}
		knows := func(s *db.Store, id string, want bool) {
			t.Helper()
			if got, err := s.Repeated(ctx, "d"+id); err != nil || got != want {
				t.Errorf("%s known: %t, %v; want %t", id, got, err, want)
			}
		}
		copies := func(s *db.Store, id string, want int64) {
			t.Helper()
			if m, err := s.Message(ctx, id); err != nil || m.Copies != want {
				t.Errorf("%s came %d times, %v; want %d", id, m.Copies, err, want)
			}
		}
		update(t, s, nil, func(_ context.Context, tx app.Tx) error { return add(tx, "m1") })
		update(t, s, nil, func(_ context.Context, tx app.Tx) error {
			err := add(tx, "m2")
			knows(s, "m1", true)
			knows(s, "m1", true)
			knows(s, "m2", false)
			return err
		})
		knows(s, "m2", true)
		if err := s.Ready(ctx); err != nil {
			t.Error(err)
		}
		copies(s, "m1", 3)
		copies(s, "m2", 2)
		knows(s, "m1", true)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		again := dbtest.Open(t, place)
		copies(again, "m1", 4)
		dbtest.Whole(t, again)
	})
}

// opening is a payment whose form was not served yet.
func opening(no app.OrderNo) app.Payment {
	p := payment(no, 1)
	p.State, p.OpenedAt, p.UpdatedAt = app.New, time.Time{}, time.Time{}
	return p
}

// What TestProcesses tells the processes that it starts from this test binary.
const (
	raceURL  = "GAGE_TEST_RACE_URL"
	raceFile = "GAGE_TEST_RACE_FILE"
)

// TestRaceProcesses: of three programs on one PostgreSQL each job is leased to one, and of what only one may have
// (an order's number, an effect, an open cancel) one gets it. A second program on one SQLite file is refused.
//
// proves R31, I2, I8
func TestRaceProcesses(t *testing.T) {
	things := dbtest.Scale(t, "GAGE_RACE_THINGS", 40)
	if url := os.Getenv(raceURL); url != "" {
		contend(t, db.Config{URL: smartro.Secret(url), Keys: dbtest.Keys(t)}, things)
		return
	}
	if path := os.Getenv(raceFile); path != "" {
		if s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)}); err == nil {
			fmt.Println("opened", s.Close())
		} else {
			fmt.Println("refused:", err)
		}
		return
	}
	t.Run("sqlite", func(t *testing.T) {
		place := dbtest.File(t)
		s := dbtest.Open(t, place)
		out, err := sibling(raceFile + "=" + place.Path).Output()
		if err != nil || !strings.Contains(string(out), "refused: ") || !strings.Contains(string(out), "in use by another process") {
			t.Errorf("a second program: %s, %v", out, err)
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		place := db.Config{URL: dbtest.PostgresURL(t), Keys: dbtest.Keys(t)}
		s := dbtest.Open(t, place)
		update(t, s, nil, func(ctx context.Context, tx app.Tx) (err error) {
			for i := range things {
				err = errors.Join(err, tx.AddJob(ctx, app.Job{ID: fmt.Sprint("j", i), Kind: app.JobExpire, Ref: fmt.Sprint(i), DueAt: at, CreatedAt: at}))
			}
			return err
		})
		var all sync.WaitGroup
		var mu sync.Mutex
		got := map[string]int{}
		jobs, stop := 0, make(chan struct{})
		enough := sync.OnceFunc(func() { close(stop) }) // all jobs are leased, or a process ended by itself
		for range 3 {
			child := sibling(raceURL + "=" + place.URL.Reveal())
			in, inErr := child.StdinPipe()
			out, outErr := child.StdoutPipe()
			if err := errors.Join(inErr, outErr, child.Start()); err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				<-stop
				if err := in.Close(); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				for lines := bufio.NewScanner(out); lines.Scan(); {
					what, ok := strings.CutPrefix(lines.Text(), "got ")
					if !ok {
						continue
					}
					mu.Lock()
					if got[what]++; got[what] == 1 && strings.HasPrefix(what, "job ") {
						jobs++
					}
					if jobs == things {
						enough()
					}
					mu.Unlock()
				}
				enough()
				if err := child.Wait(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		kinds := map[string]int{}
		for what, n := range got {
			kinds[strings.Fields(what)[0]]++
			if n != 1 {
				t.Errorf("%d processes got the %s", n, what)
			}
		}
		for _, kind := range []string{"job", "number", "effect", "cancel"} {
			if kinds[kind] != things {
				t.Errorf("%d of %d were got: %s", kinds[kind], things, kind)
			}
		}
		dbtest.Whole(t, s)
		t.Logf("reached: %d things that three processes wanted", 4*things)
	})
}

// sibling is another process of this test binary, in TestRaceProcesses.
func sibling(env string) *exec.Cmd {
	child := exec.Command(os.Args[0], "-test.run=^TestRaceProcesses$")
	child.Env = append(os.Environ(), env)
	child.Stderr = os.Stderr
	return child
}

// contend wants all things, and says what it got. It goes on leasing until its input ends.
func contend(t *testing.T, place db.Config, things int) {
	s, err := db.Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, f func(ctx context.Context, tx app.Tx) error) {
		switch err := s.Update(t.Context(), func(tx app.Tx) error { return f(t.Context(), tx) }); {
		case err == nil:
			fmt.Println("got", what)
		case !errors.Is(err, app.ErrConflict) && !errors.Is(err, app.ErrBusy):
			t.Errorf("%s: %v", what, err)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	for i := range things {
		no := app.OrderNo(fmt.Sprintf("C%07d", i))
		try("number "+string(no), func(ctx context.Context, tx app.Tx) error { return tx.CreateOrder(ctx, order(no)) })
		try("effect "+string(no), func(ctx context.Context, tx app.Tx) error {
			_, err := tx.AppendEvent(ctx, app.Event{At: at, Kind: app.Timer, OrderNo: no, EffectKey: "effect/" + string(no)})
			return err
		})
		p := opening(no)
		err := s.Update(t.Context(), func(tx app.Tx) error { return tx.CreatePayment(t.Context(), p) })
		if err != nil && !errors.Is(err, app.ErrConflict) {
			t.Error(err)
		}
		try("cancel "+string(no), func(ctx context.Context, tx app.Tx) error {
			return tx.CreateCancel(ctx, app.Cancel{
				ID: fmt.Sprintf("%d/%s", os.Getpid(), no), OrderNo: no, Moid: p.Moid, Amount: 1, State: app.CancelStateUnknown, CreatedAt: at,
			})
		})
		lease(t, s)
	}
	for {
		select {
		case <-ended:
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			return
		default:
			lease(t, s)
		}
	}
}

// lease takes jobs, and says which it got.
func lease(t *testing.T, s *db.Store) {
	var list []app.Job
	err := s.Update(t.Context(), func(tx app.Tx) (err error) {
		list, err = tx.LeaseJobs(t.Context(), app.LaneMoney, at, at.Add(time.Hour), 3)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, j := range list {
		fmt.Println("got job", j.ID)
	}
}
