package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// settingEpochs is the key of the list of epochs, the newest last.
const settingEpochs = "epochs"

// Epoch is a time in which the records went on without a break. A restored backup begins another: what happened after
// the backup was made is known to the gateway and not here, so that nothing may be given back or given up by itself
// until a person has compared the two.
type Epoch struct {
	N            int       `json:"n"`    // 1 is the first
	Mark         string    `json:"mark"` // stands in the Moids of this epoch; empty in the first
	BackupAt     time.Time `json:"backup_at,omitzero"`
	RestoredAt   time.Time `json:"restored_at,omitzero"`
	LastEvent    int64     `json:"last_event"` // the newest event in the backup
	ReconciledAt time.Time `json:"reconciled_at,omitzero"`
	ReconciledBy string    `json:"reconciled_by,omitempty"` // staff ID
	Reason       string    `json:"reason,omitempty"`
}

// Frozen says that the records have not been compared with the gateway's since the restore.
func (e Epoch) Frozen() bool { return !e.RestoredAt.IsZero() && e.ReconciledAt.IsZero() }

// moid numbers a payment of an order. An attempt that was made after the backup and lost with the records had another
// mark, so that its number is never given out a second time.
func (e Epoch) moid(no OrderNo, attempt int) Moid {
	return Moid(fmt.Sprintf("%s%s%02d", no, e.Mark, attempt))
}

// markLen is the length of a mark: one in twenty million for two restores of the same backup to meet.
const markLen = 5

// Epoch is the present one.
func (s *Shop) Epoch(ctx context.Context) (Epoch, error) { return epochOf(ctx, s.Store) }

func epochOf(ctx context.Context, r Reader) (Epoch, error) {
	all, err := epochs(ctx, r)
	if err != nil {
		return Epoch{}, err
	}
	return all[len(all)-1], nil
}

func epochs(ctx context.Context, r Reader) ([]Epoch, error) {
	text, err := r.Setting(ctx, settingEpochs)
	if errors.Is(err, ErrNotFound) {
		return []Epoch{{N: 1}}, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Epoch
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) == 0 {
		return nil, fmt.Errorf("setting %s can't be read: %w", settingEpochs, errors.Join(err, ErrNotFound))
	}
	return all, nil
}

func saveEpochs(ctx context.Context, tx Tx, all []Epoch) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return tx.SetSetting(ctx, settingEpochs, string(text))
}

// BeginEpoch says, in the transaction that restores a backup made at backupAt with lastEvent as its newest event,
// that another epoch begins: cancels and expiry stand still until [Shop.Reconcile], and everybody signs in anew. It
// uses settings, sessions and invites only, for the schema may be older than the program.
func BeginEpoch(ctx context.Context, tx Tx, now, backupAt time.Time, lastEvent int64) error {
	all, err := epochs(ctx, tx)
	if err != nil {
		return err
	}
	next := Epoch{N: all[len(all)-1].N + 1, Mark: speakableText(markLen), BackupAt: backupAt, RestoredAt: now, LastEvent: lastEvent}
	return errors.Join(saveEpochs(ctx, tx, append(all, next)), tx.EndAccess(ctx, now))
}

// RecordRestore writes the present epoch's begin into the event log.
func RecordRestore(ctx context.Context, store Store, actor Staff) error {
	return store.Update(ctx, func(tx Tx) error {
		e, err := epochOf(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{
			At: e.RestoredAt, Kind: Restored, Level: T4, Actor: actor.ID,
			Text: fmt.Sprintf("epoch %d, backup of %s", e.N, e.BackupAt.UTC().Format(time.RFC3339)),
		})
		return err
	})
}

// Reconcile is the owner's word, with a reason, that the records were compared with the gateway's list and agree:
// cancels and expiry go on. ErrConflict: nothing stands still.
func (s *Shop) Reconcile(ctx context.Context, actor Staff, reason string) error {
	if err := actor.must(RightChangeGateway); err != nil {
		return err
	}
	reason, err := readReason(reason)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		all, err := epochs(ctx, tx)
		if err != nil {
			return err
		}
		e := &all[len(all)-1]
		if !e.Frozen() {
			return fmt.Errorf("epoch %d is reconciled: %w", e.N, ErrConflict)
		}
		e.ReconciledAt, e.ReconciledBy, e.Reason = s.Now(), actor.ID, reason
		if err := saveEpochs(ctx, tx, all); err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{At: e.ReconciledAt, Kind: Reconciled, Level: T4, Actor: actor.ID, Text: reason}.from(ctx))
		return err
	})
}

// notFrozen refuses what moves money, or gives it up, while the records may be behind the gateway's.
func notFrozen(ctx context.Context, r Reader) error {
	e, err := epochOf(ctx, r)
	if err == nil && e.Frozen() {
		err = ErrFrozen
	}
	return err
}
