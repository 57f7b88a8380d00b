package db

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"gage/app"
)

const importColumns = "id, at, by_staff, mode, mid, sha256, state, reason, applied_at, applied_by, rows_read, columns, result"

// importRead is what was read of a file: rows about people.
type importRead struct {
	Name  string
	Table [][]string
}

// mostUnpacked bounds what a sealed table may become when it is opened: more than any that is taken on.
const mostUnpacked = 256 << 20

type importRow struct {
	app.Import
	read, columns, result string
}

func scanImport(s scanner) (r importRow, err error) {
	return r, s.Scan(&r.ID, micros{&r.At}, &r.By, &r.Mode, &r.MID, &r.SHA256, &r.State, &r.Reason, micros{&r.AppliedAt}, &r.AppliedBy, &r.read, &r.columns, &r.result)
}

func (d queries) Import(ctx context.Context, id string) (app.Import, error) {
	r, err := one(ctx, d, scanImport, "SELECT "+importColumns+" FROM imports WHERE id = $1", id)
	if err != nil {
		return r.Import, err
	}
	if err := json.Unmarshal([]byte(r.columns), &r.Columns); err != nil {
		return r.Import, err
	}
	k, err := d.dataKey(ctx, id)
	if err != nil {
		return r.Import, err
	}
	if r.Erased = k == nil; r.Erased {
		return r.Import, nil
	}
	if err := openJSON(k, "imports/"+id+"/result", r.result, &r.Result); err != nil {
		return r.Import, err
	}
	packed, err := k.open("imports/"+id, r.read)
	if err != nil {
		return r.Import, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return r.Import, fmt.Errorf("db: imports/%s is damaged: %w", id, err)
	}
	var read importRead
	err = json.NewDecoder(io.LimitReader(unpacked, mostUnpacked)).Decode(&read)
	r.Name, r.Table = read.Name, read.Table
	return r.Import, err
}

func (d queries) Imports(ctx context.Context, limit int) ([]app.Import, error) {
	rows, err := many(ctx, d, scanImport, "SELECT id, at, by_staff, mode, mid, sha256, state, reason, applied_at, applied_by, '', '', '' FROM imports ORDER BY at DESC, id DESC LIMIT $1", limit)
	list := make([]app.Import, len(rows))
	for i, r := range rows {
		list[i] = r.Import
	}
	return list, err
}

func (t *transaction) CreateImport(ctx context.Context, i app.Import) error {
	k, err := t.makeKey(ctx, i.ID)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(importRead{i.Name, i.Table})
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(plain); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	columns, result, err := importSaid(k, i)
	if err != nil {
		return err
	}
	t.touch("imports", i.ID)
	return inserted(t.exec(ctx, "INSERT INTO imports ("+importColumns+") VALUES ("+dollars(13)+") ON CONFLICT DO NOTHING",
		i.ID, us(i.At), i.By, i.Mode, i.MID, i.SHA256, i.State, i.Reason, us(i.AppliedAt), i.AppliedBy, k.seal("imports/"+i.ID, packed.Bytes()), columns, result))
}

// importSaid is what of an import changes.
func importSaid(k *dataKey, i app.Import) (columns, result string, err error) {
	text, err := json.Marshal(i.Columns)
	if err != nil {
		return "", "", err
	}
	result, err = sealJSON(k, "imports/"+i.ID+"/result", i.Result)
	return string(text), result, err
}

func (t *transaction) SaveImport(ctx context.Context, i app.Import) error {
	k, err := t.makeKey(ctx, i.ID)
	if err != nil {
		return err
	}
	columns, result, err := importSaid(k, i)
	if err != nil {
		return err
	}
	t.touch("imports", i.ID)
	return changed(t.exec(ctx, "UPDATE imports SET mode = $2, mid = $3, state = $4, reason = $5, applied_at = $6, applied_by = $7, columns = $8, result = $9 WHERE id = $1",
		i.ID, i.Mode, i.MID, i.State, i.Reason, us(i.AppliedAt), i.AppliedBy, columns, result))
}

func (d queries) HoldsOfTID(ctx context.Context, mode app.Mode, tid app.TID) ([]app.Hold, error) {
	return many(ctx, d, scanHold, selectHold+"WHERE mode = $1 AND tid = $2 ORDER BY created_at, id", mode, tid)
}
