package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gage/app"
	"gage/db/dbtest"
)

var errKilled = errors.New("killed")

// opens checks that the shop opens with what is in its key file, and that its secrets and its buyer can be read.
func (cfg houseConfig) opens(t *testing.T, when string, no app.OrderNo) {
	t.Helper()
	h, err := openStore(t.Context(), cfg)
	if err != nil {
		t.Fatalf("%s the shop does not open: %v", when, err)
	}
	defer h.close()
	m, err1 := h.shop.Merchant(t.Context())
	o, err2 := h.shop.Order(t.Context(), no)
	_, err3 := h.shop.NoticeURL(t.Context())
	if err := errors.Join(err1, err2, err3); err != nil || m.CancelPassword != sandboxMerchant().CancelPassword || o.BuyerName != canaryBuyer {
		t.Errorf("%s: %v, buyer %t", when, err, o.BuyerName == canaryBuyer)
	}
	if _, err := h.store.Verify(t.Context(), nil, func(text string) { t.Errorf("%s: %s", when, text) }); err != nil {
		t.Error(err)
	}
}

// TestRotateKey: wherever the change of the key is killed, the shop opens, a backup of that moment can be restored, and
// the next run finishes. Then the old key is nowhere in the data, and opens nothing.
//
// proves S19
func TestRotateKey(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			cfg := furnished(t)
			if engine == "postgres" {
				cfg = onPostgres(t, cfg)
			}
			no := cfg.ordered(t)
			first, err := os.ReadFile(cfg.keyFile())
			if err != nil {
				t.Fatal(err)
			}
			before := cfg.backedUp(t)
			kills, files := 0, map[int]bool{}
			for done := false; !done; kills++ {
				passed := 0
				_, err := cfg.rotateKey(t.Context(), func(string) error {
					if passed++; passed > kills {
						return errKilled
					}
					return nil
				})
				if done = err == nil; !done && !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				ring, err := cfg.ringFile()
				if err != nil {
					t.Fatal(err)
				}
				files[len(ring)] = true
				cfg.opens(t, "after a kill", no)
				if kills == 2 {
					cfg.restored(t, cfg.backedUp(t), "from a backup amid the change", no)
				}
				if len(ring) == 1 && !done { // killed after the last step: what follows is another change
					break
				}
			}
			if kills < 5 || !files[2] {
				t.Errorf("killed %d times, key files %v", kills, files)
			}
			if code, stdout, stderr := try(t, cfg.env(), "rotate-key"); code != exitOK || !strings.Contains(stdout, "backup now") {
				t.Fatalf("rotate-key: %d %s%s", code, stdout, stderr)
			}
			cfg.opens(t, "after all", no)
			now, err := os.ReadFile(cfg.keyFile())
			if err != nil || bytes.Contains(now, bytes.TrimSpace(first)) || len(bytes.Fields(now)) != 1 {
				t.Errorf("the key file still has the first key, or several: %v", err)
			}
			info, err := os.Stat(cfg.keyFile())
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the key file: %v %v", info.Mode(), err)
			}
			cfg.restored(t, before, "from a backup before the change", no)
			cfg.restored(t, cfg.backedUp(t), "from a backup after the change", no)
			if err := os.WriteFile(cfg.keyFile(), first, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := openStore(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "does not fit") {
				t.Errorf("with the first key: %v", err)
			}
		})
	}
}

// TestRotateKeyRefuses: not while the shop runs, not where there is none, and not without the key.
func TestRotateKeyRefuses(t *testing.T) {
	cfg := furnished(t)
	s := start(t, map[string]string{"GAGE_PUBLIC_URL": cfg.PublicURL, "GAGE_LISTEN": "127.0.0.1:0"}, "serve", "--data", cfg.Data)
	before, err := os.ReadFile(cfg.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := try(t, nil, "rotate-key", "--data", cfg.Data); code != exitFailed || !strings.Contains(stderr, "stop it first") {
		t.Errorf("while it runs: %d %s", code, stderr)
	}
	s.stop()
	if code, _, stderr := try(t, nil, "rotate-key", "--data", t.TempDir()); code != exitUsage || !strings.Contains(stderr, "--data") {
		t.Errorf("no shop: %d %s", code, stderr)
	}
	if now, err := os.ReadFile(cfg.keyFile()); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the key file was changed: %v", err)
	}
	if err := os.Remove(cfg.keyFile()); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := try(t, nil, "rotate-key", "--data", cfg.Data); code != exitFailed || !strings.Contains(stderr, "is gone") {
		t.Errorf("no key: %d %s", code, stderr)
	}
	if code, stdout, _ := try(t, nil, "rotate-key", "--help"); code != exitOK || !strings.Contains(stdout, "admin rotate-key --data /var/lib/gage") {
		t.Errorf("help: %d %s", code, stdout)
	}
}

// env names the shop to a command.
func (cfg houseConfig) env() map[string]string {
	return map[string]string{"GAGE_DATA": cfg.Data, "GAGE_DATABASE_URL": cfg.DatabaseURL.Reveal()}
}

// ordered stores a payment request of the canary buyer.
func (cfg houseConfig) ordered(t *testing.T) app.OrderNo {
	t.Helper()
	h, err := openStore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	o, err := h.shop.CreateOrder(t.Context(), operator(), app.OrderInput{Goods: "겨울 목도리", Amount: 48500, BuyerName: canaryBuyer, BuyerTel: canaryTel, BuyerEmail: canaryBuyMail})
	if err != nil {
		t.Fatal(err)
	}
	return o.No
}

// onPostgres moves a shop to PostgreSQL, as its owner does.
func onPostgres(t *testing.T, cfg houseConfig) houseConfig {
	t.Helper()
	file := cfg.backedUp(t)
	cfg.Data, cfg.DatabaseURL = filepath.Join(t.TempDir(), "moved"), dbtest.PostgresURL(t)
	cfg.bringBack(t, file)
	return cfg
}

func (cfg houseConfig) backedUp(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "shop.backup")
	if _, err := cfg.backup(t.Context(), file, testPassphrase); err != nil {
		t.Fatal(err)
	}
	return file
}

func (cfg houseConfig) bringBack(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := cfg.restore(t.Context(), f, testPassphrase); err != nil {
		t.Fatal(err)
	}
}

// restored brings a backup back into another folder and opens it there.
func (cfg houseConfig) restored(t *testing.T, file, when string, no app.OrderNo) {
	t.Helper()
	cfg.Data, cfg.DatabaseURL = filepath.Join(t.TempDir(), "restored"), ""
	cfg.bringBack(t, file)
	cfg.opens(t, when, no)
}
