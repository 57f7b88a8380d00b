package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Work does what the shop still owes, until ctx is done: inquiries for claims and unknown cancels, expiry,
// judging again, and telling the shop's own system. It is safe to run in several processes: jobs are leased.
func (s *Shop) Work(ctx context.Context) error {
	var lanes sync.WaitGroup
	for _, once := range []func(context.Context) (int, error){s.WorkOnce, s.TellOnce} {
		lanes.Go(func() { s.workLane(ctx, once) })
	}
	lanes.Wait()
	return nil
}

// workLane does the jobs of one lane: every second, and at once as long as there were some.
func (s *Shop) workLane(ctx context.Context, once func(context.Context) (int, error)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		n, err := once(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("working off what is owed failed: it is tried again", "error", err)
		}
		if err == nil && n > 0 && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

const (
	leaseFor  = 2 * time.Minute
	leaseMany = 20
	tellMany  = 8  // orders whose news are told at the same time
	giveUp    = 40 // attempts: with the back-off below, about three days
)

// WorkOnce does the jobs about money that are due now, one after the other, and says how many it took.
func (s *Shop) WorkOnce(ctx context.Context) (int, error) {
	jobs, epoch, err := s.lease(ctx, LaneMoney, leaseMany)
	if err != nil {
		return len(jobs), err
	}
	var errs []error
	for _, j := range jobs {
		if j.Kind.rests() && epoch.Frozen() {
			errs = append(errs, s.later(ctx, j))
			continue
		}
		errs = append(errs, s.work(ctx, j))
		if ctx.Err() != nil {
			break // the lease runs out by itself
		}
	}
	return len(jobs), errors.Join(errs...)
}

// rests says whether a job is put off while the records may be behind the gateway's: it would give something up,
// take money, or issue a receipt for it.
func (k JobKind) rests() bool {
	return k == JobExpire || k == JobSubscription || k == JobCharge || k == JobRetryCharge || k == JobCashReceipt || k == JobOwnReceipt
}

// TellOnce tells the shop's own system what is due now, of several orders at the same time, and says of how many.
func (s *Shop) TellOnce(ctx context.Context) (int, error) {
	jobs, epoch, err := s.lease(ctx, LaneTell, tellMany)
	if err != nil {
		return len(jobs), err
	}
	errs := make([]error, len(jobs))
	var all sync.WaitGroup
	for i, j := range jobs {
		all.Go(func() {
			if epoch.Frozen() { // this may be a drill beside the shop that goes on
				errs[i] = s.later(ctx, j)
				return
			}
			errs[i] = s.work(ctx, j)
		})
	}
	all.Wait()
	return len(jobs), errors.Join(errs...)
}

// lease takes the jobs of a lane that are due.
func (s *Shop) lease(ctx context.Context, lane Lane, most int) (jobs []Job, e Epoch, err error) {
	err = s.Store.Update(ctx, func(tx Tx) error {
		now, err := s.keepLatest(ctx, tx)
		if err != nil {
			return err
		}
		jobs, err = tx.LeaseJobs(ctx, lane, now, now.Add(leaseFor), most)
		return err
	})
	if err != nil {
		return nil, e, err
	}
	e, err = s.Epoch(ctx)
	return jobs, e, err
}

// work does a leased job and puts it away.
func (s *Shop) work(ctx context.Context, j Job) error {
	// crash point: job leased, not done
	again, err := s.do(ctx, j)
	// crash point: job done, not put away
	if ctx.Err() != nil {
		return nil // the lease runs out by itself
	}
	if err != nil {
		s.Log.Warn("a job failed", "kind", j.Kind, "ref", j.Ref, "attempts", j.Attempts+1, "error", err)
	}
	return s.finish(ctx, j, again || err != nil, err)
}

// frozenFor is how long a job rests that may not be done while the records are not reconciled.
const frozenFor = 5 * time.Minute

// later puts a job back untried.
func (s *Shop) later(ctx context.Context, j Job) error {
	lease := j.LeaseUntil
	j.LeaseUntil, j.DueAt = time.Time{}, s.latest().Add(frozenFor)
	return s.putAway(ctx, j.ID, lease, true, func(tx Tx, lease time.Time) error { return tx.SaveJob(ctx, j, lease) })
}

// finish forgets a job that is done and puts back one that is not, later each time. One that fails to the end is kept
// for a person; one that only finds nothing new is forgotten, for what it is about is on the list by itself.
func (s *Shop) finish(ctx context.Context, j Job, again bool, cause error) error {
	lease := j.LeaseUntil
	j.Attempts++
	over := !again || j.Attempts >= giveUp && cause == nil
	j.LeaseUntil = time.Time{}
	j.DueAt = s.latest().Add(backOff(j.Attempts))
	j.LastError = ""
	if cause != nil {
		j.LastError = cause.Error()
	}
	if j.Attempts >= giveUp {
		j.DueAt = time.Time{}
	}
	return s.putAway(ctx, j.ID, lease, !over && !j.DueAt.IsZero(), func(tx Tx, lease time.Time) error {
		next := j
		if over {
			more, err := s.owesMore(ctx, tx, j)
			if err != nil {
				return err
			}
			if !more {
				return tx.DeleteJob(ctx, j.ID, lease)
			}
			next.Attempts, next.DueAt = 0, s.latest()
		}
		return tx.SaveJob(ctx, next, lease)
	})
}

// putAway lets put say what becomes of a job that was leased until lease. What was added anew meanwhile may have been done
// before there was what it was added for: unless it is tried again anyway, it is done once more. A job that took longer
// than its lease is well: whoever holds it now says what becomes of it, and what was done twice had one effect.
func (s *Shop) putAway(ctx context.Context, id string, lease time.Time, anyway bool, put func(tx Tx, lease time.Time) error) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		err := put(tx, lease)
		if !errors.Is(err, ErrConflict) {
			return err
		}
		now, err := tx.Job(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		held := now.LeaseUntil
		switch longer := held.Sub(lease); {
		case longer < 0 || longer >= leaseFor: // another process took it, and may have put it back
			s.Log.Warn("a job took longer than its lease: another process has it", "kind", now.Kind, "ref", now.Ref)
			return nil
		case anyway:
			return put(tx, held)
		}
		now.LeaseUntil = time.Time{}
		return tx.SaveJob(ctx, now, held)
	})
}

// RetryJob has a job that was given up tried again. ErrConflict: it was not given up.
func (s *Shop) RetryJob(ctx context.Context, actor Staff, id string) error {
	if err := actor.must(RightSettle); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		j, err := tx.Job(ctx, id)
		if err != nil {
			return err
		}
		if !j.DueAt.IsZero() {
			return fmt.Errorf("job %s: %w", id, ErrConflict)
		}
		j.DueAt, j.Attempts = s.Now(), 0
		return tx.SaveJob(ctx, j, j.LeaseUntil)
	})
}

// backOff is 20 s, 40 s, … and at most two hours.
func backOff(attempts int) time.Duration {
	return min(10*time.Second<<min(attempts, 10), 2*time.Hour)
}

// do works one job off. again: it is not finished, and will be tried later.
func (s *Shop) do(ctx context.Context, j Job) (again bool, err error) {
	switch j.Kind {
	case JobInquirePayment:
		p, err := s.Store.Payment(ctx, Moid(j.Ref))
		switch {
		case err != nil:
			return false, err
		case p.State == Claimed:
			settled, err := s.inquirePayment(ctx, p)
			return !settled, err
		case p.Proof == ProofStaff:
			return false, s.inquireWindowReceipt(ctx, p)
		}
		return false, nil
	case JobInquireCancel:
		return s.lookAfterCancel(ctx, j.Ref)
	case JobExpire:
		return false, s.expire(ctx, Moid(j.Ref))
	case JobImport:
		return false, s.resumeImport(ctx, j.Ref)
	case JobLapse:
		return s.lapse(ctx, j.Ref)
	case JobForgetAccount:
		return false, s.forgetAccount(ctx, j.Ref)
	case JobForgetRefund:
		return false, s.forgetRefund(ctx, j.Ref)
	case JobRejudge:
		return false, s.rejudge(ctx, j.Ref)
	case JobTell:
		return false, s.tellNext(ctx, OrderNo(j.Ref))
	case JobSubscription:
		return s.lookAtSubscription(ctx, j.Ref)
	case JobCharge:
		return s.sendCharge(ctx, j.Ref)
	case JobRetryCharge:
		return s.retryCharge(ctx, j.Ref)
	case JobEraseKey:
		return false, s.eraseKey(ctx, j.Ref)
	case JobCashReceipt:
		return s.lookAfterReceipt(ctx, j.Ref)
	case JobOwnReceipt:
		return false, s.issueOwn(ctx, Moid(j.Ref))
	}
	return false, errors.New("no such kind of job")
}

// lookAfterCancel makes a cancel unknown that was sent and never answered, and asks about an unknown one.
func (s *Shop) lookAfterCancel(ctx context.Context, id string) (again bool, err error) {
	c, err := s.Store.Cancel(ctx, id)
	if err != nil {
		return false, err
	}
	if c.State == CancelStateSent {
		if !s.unanswered(c) {
			return true, nil
		}
		err = s.Store.Update(ctx, func(tx Tx) error {
			if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
				return err
			}
			if c, err = tx.Cancel(ctx, id); err != nil || !s.unanswered(c) {
				return err
			}
			if err := s.settle(ctx, tx, c, CancelUnknown, "", Input{Level: T3, Code: NoAnswer.Code()}); err != nil {
				return err
			}
			c.State = CancelStateUnknown
			return nil
		})
		if err != nil {
			return false, err
		}
		s.changed(c.OrderNo)
	}
	if c.State != CancelStateUnknown {
		return c.State == CancelStateSent, nil
	}
	settled, err := s.inquireCancel(ctx, c)
	return !settled, err
}

// unanswered says that a cancel was sent so long ago that no answer comes any more.
func (s *Shop) unanswered(c Cancel) bool {
	return c.State == CancelStateSent && s.latest().Sub(c.SentAt) >= answerBy
}

// expireLater has the clock looked at when p runs out.
func (s *Shop) expireLater(ctx context.Context, tx Tx, p Payment) error {
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobExpire, Ref: string(p.Moid), DueAt: p.runsOut(), CreatedAt: s.Now()})
}

// expire looks at the clock for one payment. What is too early is looked at again in time.
func (s *Shop) expire(ctx context.Context, moid Moid) error {
	p, err := s.Store.Payment(ctx, moid)
	if err != nil || !p.Expires() { // what has become of it, no clock undoes
		return err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, p.OrderNo); err != nil {
			return err
		}
		if p, err = tx.Payment(ctx, moid); err != nil {
			return err
		}
		if _, err = s.apply(ctx, tx, p, Input{Kind: Timer, Level: T3, At: s.latest(), TID: p.TID}); err != nil {
			return err
		}
		if p, err = tx.Payment(ctx, moid); err != nil || !p.Expires() || !p.runsOut().After(s.latest()) {
			return err
		}
		return s.expireLater(ctx, tx, p)
	})
	if err == nil {
		s.changed(p.OrderNo)
	}
	return err
}
