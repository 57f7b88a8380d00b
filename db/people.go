package db

import (
	"context"
	"time"

	"gage/app"
)

const staffColumns = "id, email, name, role, password_hash, created_at, disabled_at"

func scanStaff(s scanner) (p app.Staff, err error) {
	return p, s.Scan(&p.ID, &p.Email, &p.Name, &p.Role, (*string)(&p.PasswordHash), micros{&p.CreatedAt}, micros{&p.DisabledAt}, truth{&p.HasSecond})
}

const selectStaff = "SELECT " + staffColumns + ", (SELECT COUNT(*) FROM second_factors f WHERE f.staff_id = staff.id AND f.private <> '') FROM staff "

func (d queries) StaffByEmail(ctx context.Context, email string) (app.Staff, error) {
	return one(ctx, d, scanStaff, selectStaff+"WHERE email = $1", email)
}

func (d queries) StaffByID(ctx context.Context, id string) (app.Staff, error) {
	return one(ctx, d, scanStaff, selectStaff+"WHERE id = $1", id)
}

func (d queries) AllStaff(ctx context.Context) ([]app.Staff, error) {
	return many(ctx, d, scanStaff, selectStaff+"ORDER BY created_at, id")
}

func (t *transaction) CreateStaff(ctx context.Context, p app.Staff) error {
	t.touch("staff", p.ID)
	return inserted(t.exec(ctx, "INSERT INTO staff ("+staffColumns+") VALUES ("+dollars(7)+") ON CONFLICT DO NOTHING",
		p.ID, p.Email, p.Name, p.Role, p.PasswordHash.Reveal(), us(p.CreatedAt), us(p.DisabledAt)))
}

func (t *transaction) SaveStaff(ctx context.Context, p app.Staff) error {
	t.touch("staff", p.ID)
	return changed(t.exec(ctx, "UPDATE staff SET email = $2, name = $3, role = $4, password_hash = $5, disabled_at = $6 WHERE id = $1",
		p.ID, p.Email, p.Name, p.Role, p.PasswordHash.Reveal(), us(p.DisabledAt)))
}

// LockStaff writes on every row: who may do what is decided by all of them, and there are few.
func (t *transaction) LockStaff(ctx context.Context) error {
	_, err := t.exec(ctx, "UPDATE staff SET role = role")
	return err
}

const inviteColumns = "hash, email, role, created_at, expires_at, used_at"

func scanInvite(s scanner) (i app.Invite, err error) {
	return i, s.Scan(&i.Hash, &i.Email, &i.Role, micros{&i.CreatedAt}, micros{&i.ExpiresAt}, micros{&i.UsedAt})
}

func (d queries) Invite(ctx context.Context, hash string) (app.Invite, error) {
	return one(ctx, d, scanInvite, "SELECT "+inviteColumns+" FROM invites WHERE hash = $1", hash)
}

func (t *transaction) CreateInvite(ctx context.Context, i app.Invite) error {
	return inserted(t.exec(ctx, "INSERT INTO invites ("+inviteColumns+") VALUES ("+dollars(6)+") ON CONFLICT DO NOTHING",
		i.Hash, i.Email, i.Role, us(i.CreatedAt), us(i.ExpiresAt), us(i.UsedAt)))
}

// SaveInvite uses an invite up; ErrNotFound when somebody did so before.
func (t *transaction) SaveInvite(ctx context.Context, i app.Invite) error {
	return changed(t.exec(ctx, "UPDATE invites SET used_at = $2 WHERE hash = $1 AND used_at = 0", i.Hash, us(i.UsedAt)))
}

const sessionColumns = "hash, staff_id, data, created_at, seen_at, expires_at"

func scanSession(s scanner) (v app.Session, err error) {
	return v, s.Scan(&v.Hash, &v.StaffID, &v.Data, micros{&v.CreatedAt}, micros{&v.SeenAt}, micros{&v.ExpiresAt})
}

func (d queries) Session(ctx context.Context, hash string) (app.Session, error) {
	return one(ctx, d, scanSession, "SELECT "+sessionColumns+" FROM sessions WHERE hash = $1", hash)
}

func (d queries) SessionsOf(ctx context.Context, staffID string) ([]app.Session, error) {
	return many(ctx, d, scanSession, "SELECT "+sessionColumns+" FROM sessions WHERE staff_id = $1 ORDER BY seen_at DESC, hash", staffID)
}

func (t *transaction) SaveSession(ctx context.Context, v app.Session) error {
	_, err := t.exec(ctx, "INSERT INTO sessions ("+sessionColumns+") VALUES ("+dollars(6)+`) ON CONFLICT (hash) DO UPDATE
		SET staff_id = excluded.staff_id, data = excluded.data, seen_at = excluded.seen_at, expires_at = excluded.expires_at`,
		v.Hash, v.StaffID, v.Data, us(v.CreatedAt), us(v.SeenAt), us(v.ExpiresAt))
	return err
}

func (t *transaction) DeleteSession(ctx context.Context, hash string) error {
	_, err := t.exec(ctx, "DELETE FROM sessions WHERE hash = $1", hash)
	return err
}

func (t *transaction) DeleteSessionsOf(ctx context.Context, staffID, exceptHash string) error {
	_, err := t.exec(ctx, "DELETE FROM sessions WHERE staff_id = $1 AND hash <> $2", staffID, exceptHash)
	return err
}

func (t *transaction) DeleteExpiredSessions(ctx context.Context, now time.Time) error {
	_, err := t.exec(ctx, "DELETE FROM sessions WHERE expires_at < $1", us(now))
	return err
}

// EndAccess ends every session and every link that is not used up.
func (t *transaction) EndAccess(ctx context.Context, now time.Time) error {
	if _, err := t.exec(ctx, "DELETE FROM sessions"); err != nil {
		return err
	}
	_, err := t.exec(ctx, "UPDATE invites SET used_at = $1 WHERE used_at = 0", us(now))
	return err
}

const senderColumns = "addr, state, first_at, last_at, count, decided_by, decided_at"

const selectSender = "SELECT " + senderColumns + " FROM senders "

func scanSender(s scanner) (v app.Sender, err error) {
	return v, s.Scan(&v.Addr, &v.State, micros{&v.FirstAt}, micros{&v.LastAt}, &v.Count, &v.DecidedBy, micros{&v.DecidedAt})
}

func (d queries) Senders(ctx context.Context) ([]app.Sender, error) {
	return many(ctx, d, scanSender, selectSender+"ORDER BY first_at, addr")
}

func (t *transaction) SaveSender(ctx context.Context, v app.Sender) error {
	t.touch("senders", v.Addr)
	_, err := t.exec(ctx, "INSERT INTO senders ("+senderColumns+") VALUES ("+dollars(7)+`) ON CONFLICT (addr) DO UPDATE
		SET state = excluded.state, last_at = excluded.last_at, count = excluded.count, decided_by = excluded.decided_by, decided_at = excluded.decided_at`,
		v.Addr, v.State, us(v.FirstAt), us(v.LastAt), v.Count, v.DecidedBy, us(v.DecidedAt))
	return err
}

func (d queries) Setting(ctx context.Context, key string) (string, error) {
	return one(ctx, d, scanText, "SELECT value FROM settings WHERE name = $1", key)
}

func (t *transaction) SetSetting(ctx context.Context, key, value string) error {
	if key != readyKey {
		t.touch("settings", key)
	}
	_, err := t.exec(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", key, value)
	return err
}

// CountAttempt also forgets what is too old to count: names that strangers make up may not pile up.
func (t *transaction) CountAttempt(ctx context.Context, key string, since, now time.Time, full int) (int, error) {
	if _, err := t.exec(ctx, "DELETE FROM attempts WHERE since < $1", us(since)); err != nil {
		return 0, err
	}
	n, err := one(ctx, t.queries, scanInt, `INSERT INTO attempts (name, since, n) VALUES ($1, $2, 1) ON CONFLICT (name) DO UPDATE
		SET n = attempts.n + 1, since = CASE WHEN attempts.n + 1 = $3 THEN excluded.since ELSE attempts.since END
		RETURNING n`, key, us(now), full)
	return int(n), err
}

func (t *transaction) TakeBackAttempt(ctx context.Context, key string) error {
	_, err := t.exec(ctx, "UPDATE attempts SET n = n - 1 WHERE name = $1 AND n > 0", key)
	return err
}

func (t *transaction) Attempts(ctx context.Context, key string, since time.Time) (int, error) {
	list, err := many(ctx, t.queries, scanInt, "SELECT n FROM attempts WHERE name = $1 AND since >= $2", key, us(since))
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return int(list[0]), nil
}

func (t *transaction) ClearAttempts(ctx context.Context, key string) error {
	_, err := t.exec(ctx, "DELETE FROM attempts WHERE name = $1", key)
	return err
}
