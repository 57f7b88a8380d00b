package db

import (
	"context"
	"time"

	"gage/app"
)

const jobColumns = "id, kind, ref, due_at, lease_until, attempts, last_error, created_at"

func scanJob(s scanner) (j app.Job, err error) {
	return j, s.Scan(&j.ID, &j.Kind, &j.Ref, micros{&j.DueAt}, micros{&j.LeaseUntil}, &j.Attempts, &j.LastError, micros{&j.CreatedAt})
}

func (t *transaction) AddJob(ctx context.Context, j app.Job) error {
	_, err := t.exec(ctx, "INSERT INTO jobs ("+jobColumns+") VALUES ("+dollars(8)+`) ON CONFLICT (kind, ref)
		DO UPDATE SET attempts = 0, lease_until = CASE WHEN jobs.lease_until > 0 THEN jobs.lease_until + 1 ELSE 0 END,
		due_at = CASE WHEN jobs.due_at = 0 OR jobs.lease_until > 0 OR excluded.due_at < jobs.due_at THEN excluded.due_at ELSE jobs.due_at END`,
		j.ID, j.Kind, j.Ref, us(j.DueAt), us(j.LeaseUntil), j.Attempts, j.LastError, us(j.CreatedAt))
	return err
}

// timeStep is how much higher a time must be to be kept: not every look at the clock is worth a sync.
const timeStep = time.Minute

func (t *transaction) SeeTime(ctx context.Context, now time.Time, wrong time.Duration) (time.Time, error) {
	list, err := many(ctx, t.queries, scanInt, "SELECT n FROM counters WHERE name = 'time'")
	if err != nil {
		return now, err
	}
	if len(list) == 1 {
		known := time.UnixMicro(list[0]).UTC()
		if ahead := known.Sub(now); ahead > -timeStep && ahead <= wrong {
			return known, nil
		}
	}
	const keep = "INSERT INTO counters (name, n) VALUES ('time', $1) ON CONFLICT (name) DO UPDATE SET n = excluded.n"
	_, err = t.exec(ctx, keep, us(now))
	return now, err
}

func (t *transaction) LeaseJobs(ctx context.Context, lane app.Lane, now, until time.Time, limit int) ([]app.Job, error) {
	ofLane := "kind <> 'tell'"
	if lane == app.LaneTell {
		ofLane = "kind = 'tell'"
	}
	return many(ctx, t.queries, scanJob, `UPDATE jobs SET lease_until = $1
		WHERE id IN (SELECT id FROM jobs WHERE `+ofLane+` AND due_at > 0 AND due_at <= $2 AND lease_until <= $2 ORDER BY due_at LIMIT $3) AND lease_until <= $2
		RETURNING `+jobColumns, us(until), us(now), limit)
}

func (t *transaction) SaveJob(ctx context.Context, j app.Job, lease time.Time) error {
	return held(t.exec(ctx, "UPDATE jobs SET due_at = $3, lease_until = $4, attempts = $5, last_error = $6 WHERE id = $1 AND lease_until = $2",
		j.ID, us(lease), us(j.DueAt), us(j.LeaseUntil), j.Attempts, j.LastError))
}

func (t *transaction) DeleteJob(ctx context.Context, id string, lease time.Time) error {
	return held(t.exec(ctx, "DELETE FROM jobs WHERE id = $1 AND lease_until = $2", id, us(lease)))
}

// held turns "the job is not ours" into ErrConflict: whoever leased it later has a later lease.
func held(n int64, err error) error {
	if err == nil && n == 0 {
		return app.ErrConflict
	}
	return err
}

// Job reads one job.
func (d queries) Job(ctx context.Context, id string) (app.Job, error) {
	return one(ctx, d, scanJob, "SELECT "+jobColumns+" FROM jobs WHERE id = $1", id)
}
