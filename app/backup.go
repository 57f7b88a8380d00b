package app

import (
	"context"
	"encoding/json"
	"time"
)

// settingBackup is the key of what came of the last backups.
const settingBackup = "backup"

// BackupState is what came of the backups that the shop makes of itself. All zero: none was ever tried.
type BackupState struct {
	File     string    `json:"file"`               // of the last good one, without its folder
	At       time.Time `json:"at,omitzero"`        // when that one was ready
	FailedAt time.Time `json:"failed_at,omitzero"` // when the last try failed; zero: it went well
	Error    string    `json:"error,omitempty"`    // why
}

// Failed says that the last try failed: there is no backup of last night.
func (b BackupState) Failed() bool { return !b.FailedAt.IsZero() }

// BackupState reads it.
func (s *Shop) BackupState(ctx context.Context) (BackupState, error) {
	return setting(ctx, s.Store, settingBackup, BackupState{})
}

// RecordBackup keeps what came of a try: file is the good backup's name; a failure keeps the name of the one before.
func (s *Shop) RecordBackup(ctx context.Context, file string, failure error) error {
	b, err := s.BackupState(ctx)
	if err != nil {
		return err
	}
	if failure != nil {
		b.FailedAt, b.Error = s.Now(), failure.Error()
	} else {
		b = BackupState{File: file, At: s.Now()}
	}
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error { return tx.SetSetting(ctx, settingBackup, string(text)) })
}
