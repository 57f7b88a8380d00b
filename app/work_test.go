package app_test

import (
	"errors"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// TestJobThatNeverWorks: what fails to the end is put before a person, who has it tried again, and is never dropped.
// proves R33
func TestJobThatNeverWorks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r, ctx := newRig(t, s), t.Context()
		job := app.Job{ID: "job-that-never-works", Kind: app.JobRejudge, Ref: "a message that is not there", DueAt: r.now, CreatedAt: r.now}
		add := func() {
			if err := s.Update(ctx, func(tx app.Tx) error { return tx.AddJob(ctx, job) }); err != nil {
				t.Fatal(err)
			}
		}
		exhaust := func() (tries int) {
			for range 100 {
				r.now = r.now.Add(3 * time.Hour)
				n, err := r.WorkOnce(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					return tries
				}
				tries++
			}
			t.Fatal("it is tried for ever")
			return 0
		}
		given := func() []app.Job {
			w, err := r.Worklist(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return w.GivenUp
		}
		add()
		if n := exhaust(); n < 20 {
			t.Errorf("given up after %d tries", n)
		}
		if list := given(); len(list) != 1 || list[0].Ref != job.Ref || list[0].LastError == "" {
			t.Fatalf("%+v", list)
		}
		if err := r.RetryJob(ctx, app.Staff{}, job.ID); !errors.Is(err, app.ErrForbidden) {
			t.Errorf("nobody: %v", err)
		}
		if err := r.RetryJob(ctx, r.owner, job.ID); err != nil || len(given()) != 0 {
			t.Errorf("%v %+v", err, given())
		}
		if err := r.RetryJob(ctx, r.owner, job.ID); !errors.Is(err, app.ErrConflict) {
			t.Errorf("not given up: %v", err)
		}
		if n := exhaust(); n < 20 || len(given()) != 1 {
			t.Errorf("tried again %d times, then %+v", n, given())
		}
		job.ID, job.DueAt = "the same asked for anew", r.now
		add()
		if n := exhaust(); n < 20 || len(given()) != 1 {
			t.Errorf("asked for anew: %d times, then %+v", n, given())
		}
	})
}
