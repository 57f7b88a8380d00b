package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gage/app"
	"gage/db"
)

// headsFile is where the end of the log is written down each day, outside the database: who rewrites the log later can
// be told by it. One line a day: the Korean date, the row's number, its hash.
func (cfg houseConfig) headsFile() string { return filepath.Join(cfg.Data, cfg.Name+".heads") }

// headsEvery is how often the day is looked at.
const headsEvery = 10 * time.Minute

// keepHeads writes down the end of the log at the start of each Korean day, and at the program's own start.
func (h *house) keepHeads(ctx context.Context) error {
	tick := time.NewTicker(headsEvery)
	defer tick.Stop()
	for {
		if err := h.keepHead(ctx); err != nil && ctx.Err() == nil {
			h.shop.Log.Error("the end of the log could not be written down outside the database", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// keepHead writes today's line, once.
func (h *house) keepHead(ctx context.Context) error {
	today := h.shop.Now().In(app.KST).Format(time.DateOnly)
	if today == h.headDay {
		return nil
	}
	head, err := h.store.Head(ctx)
	if err != nil || head.Seq == 0 {
		return err
	}
	f, err := os.OpenFile(h.heads, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %d %s\n", today, head.Seq, head.Hash)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	h.headDay = today
	return nil
}

// readHeads reads the lines back; no file yet is no heads.
func readHeads(path string) ([]db.Head, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []db.Head
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		var day string
		var head db.Head
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "%s %d %s", &day, &head.Seq, &head.Hash); err != nil {
			return nil, fmt.Errorf("%s, line %d: want a date, a number and a hash", path, n)
		}
		list = append(list, head)
	}
	return list, lines.Err()
}
