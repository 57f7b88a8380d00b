package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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

// moveHeads moves the heads of another log away, under a name that says when: the log that is restored here never passed
// through the later ones. They stay, for they show what it lacks.
func (cfg houseConfig) moveHeads() (aside string, err error) {
	exists, err := fileExists(cfg.headsFile())
	if err != nil || !exists {
		return "", err
	}
	aside = cfg.headsFile() + ".until-" + cfg.Now().In(app.KST).Format(stamp)
	if err := os.Link(cfg.headsFile(), aside); err != nil { // unlike a rename it overwrites nothing
		return "", err
	}
	return aside, errors.Join(os.Remove(cfg.headsFile()), syncFolder(cfg.Data))
}

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
	if err := appendHead(h.heads, fmt.Sprintf("%s %d %s\n", today, head.Seq, head.Hash)); err != nil {
		return err
	}
	h.headDay = today
	return nil
}

// appendHead adds a line behind the last whole one: what a full disk or a power cut left of another is no head.
func appendHead(path, line string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	have, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	if whole := wholeHeads(have); len(whole) < len(have) {
		if err := f.Truncate(int64(len(whole))); err != nil {
			return err
		}
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Sync())
}

// wholeHeads leaves out what follows the last line's end, and a last line whose hash is cut short.
func wholeHeads(text []byte) []byte {
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	last := bytes.LastIndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n') + 1
	if words := bytes.Fields(text[last:]); len(words) == 3 && len(words[2]) < hex.EncodedLen(sha256.Size) {
		return text[:last]
	}
	return text
}

// readHeads reads the lines back; no file yet is no heads.
func readHeads(path string) ([]db.Head, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []db.Head
	for n, line := range strings.Split(string(wholeHeads(text)), "\n") {
		var day string
		var head db.Head
		if strings.TrimSpace(line) == "" {
			continue
		}
		if _, err := fmt.Sscanf(line, "%s %d %s", &day, &head.Seq, &head.Hash); err != nil {
			return nil, fmt.Errorf("%s, line %d: want a date, a number and a hash", path, n+1)
		}
		list = append(list, head)
	}
	return list, nil
}
