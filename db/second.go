package db

import (
	"context"

	"gage/app"
)

const secondColumns = "staff_id, private, last_step, created_at"

// secondPrivate is what a second factor is made of.
type secondPrivate struct {
	Secret   string
	Recovery []string
	Passkeys []app.Passkey `json:",omitempty"`
}

// second reads a row and opens it. One that was cleared is none.
func (d queries) second(ctx context.Context, query, staffID string) (app.SecondFactor, error) {
	var private string
	scan := func(s scanner) (f app.SecondFactor, err error) {
		return f, s.Scan(&f.StaffID, &private, &f.LastStep, micros{&f.CreatedAt})
	}
	f, err := one(ctx, d, scan, query, staffID)
	if err == nil && private == "" {
		err = app.ErrNotFound
	}
	if err != nil {
		return app.SecondFactor{}, err
	}
	k, err := d.dataKey(ctx, keyShop)
	if err != nil {
		return app.SecondFactor{}, err
	}
	var made secondPrivate
	if err := openJSON(k, "second_factors/"+staffID, private, &made); err != nil {
		return app.SecondFactor{}, err
	}
	f.Secret, f.Recovery, f.Passkeys = app.Secret(made.Secret), made.Recovery, made.Passkeys
	return f, nil
}

func (d queries) SecondFactor(ctx context.Context, staffID string) (app.SecondFactor, error) {
	return d.second(ctx, "SELECT "+secondColumns+" FROM second_factors WHERE staff_id = $1", staffID)
}

// LockSecondFactor writes on the row, which keeps every other writer away on both engines.
func (t *transaction) LockSecondFactor(ctx context.Context, staffID string) (app.SecondFactor, error) {
	return t.second(ctx, "UPDATE second_factors SET last_step = last_step WHERE staff_id = $1 RETURNING "+secondColumns, staffID)
}

func (t *transaction) SaveSecondFactor(ctx context.Context, f app.SecondFactor) error {
	k, err := t.makeKey(ctx, keyShop)
	if err != nil {
		return err
	}
	private, err := sealJSON(k, "second_factors/"+f.StaffID, secondPrivate{f.Secret.Reveal(), f.Recovery, f.Passkeys})
	if err != nil {
		return err
	}
	t.touch("second_factors", f.StaffID)
	_, err = t.exec(ctx, "INSERT INTO second_factors ("+secondColumns+") VALUES ("+dollars(4)+`) ON CONFLICT (staff_id) DO UPDATE
		SET private = excluded.private, last_step = excluded.last_step, created_at = excluded.created_at`, f.StaffID, private, f.LastStep, us(f.CreatedAt))
	return err
}

// ClearSecondFactor leaves the row, for the log knows it.
func (t *transaction) ClearSecondFactor(ctx context.Context, staffID string) error {
	t.touch("second_factors", staffID)
	return changed(t.exec(ctx, "UPDATE second_factors SET private = '' WHERE staff_id = $1 AND private <> ''", staffID))
}
