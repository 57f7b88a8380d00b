package db

import (
	"context"
	"errors"
	"fmt"

	"gage/app"
)

// ringSealed are the columns in which values stand that the key ring itself sealed, and the places that they are
// sealed for. Everything else that is sealed is so with a data key. Other values may stand beside them.
var ringSealed = []struct{ table, key, column, place string }{
	{"data_keys", "id", "sealed", "data_keys/"},
	{"settings", "name", "value", "setting/"},
	{"sessions", "hash", "data", "session/"},
}

// keyringKey is the setting that names the ring's first key once the ring has been rotated: by a trigger nobody seals a
// data key with another one from then on, so that what a forgotten server still writes is refused and not lost.
const keyringKey = "keyring"

// resealBatch is how many values are sealed anew in one transaction.
const resealBatch = 500

// Reseal seals everything with the ring's first key that another of its keys sealed, so that the others can go. It
// returns how many values that were; none, when it was done before. It may be broken off at any point and begun again.
// done is told after every transaction.
func (s *Store) Reseal(ctx context.Context, done func()) (int, error) {
	err := s.Update(ctx, func(tx app.Tx) error {
		now, err := tx.Setting(ctx, keyringKey)
		if first := s.keys.First(); now == first || errors.Is(err, app.ErrNotFound) && !s.keys.Many() {
			return nil
		} else if err == nil || errors.Is(err, app.ErrNotFound) {
			return tx.SetSetting(ctx, keyringKey, first)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	done()
	sum := 0
	for i := range ringSealed {
		n, err := s.resealColumn(ctx, i, done)
		if sum += n; err != nil {
			return sum, fmt.Errorf("db: seal %s anew: %w", ringSealed[i].table, err)
		}
	}
	return sum, nil
}

func (s *Store) resealColumn(ctx context.Context, i int, done func()) (sum int, err error) {
	type held struct{ id, sealed string }
	scan := func(r scanner) (h held, err error) { return h, r.Scan(&h.id, &h.sealed) }
	c, last := ringSealed[i], ""
	for {
		var looked, n int
		next := last
		err := s.Update(ctx, func(tx app.Tx) error {
			t, ok := tx.(*transaction)
			if !ok {
				return errors.New("a foreign transaction")
			}
			n, next = 0, last
			list, err := many(ctx, t.queries, scan, "SELECT "+c.key+", "+c.column+" FROM "+c.table+" WHERE "+c.key+" > $1 ORDER BY "+c.key+" LIMIT $2", last, resealBatch)
			if err != nil {
				return err
			}
			looked = len(list)
			for _, h := range list {
				next = h.id
				if id, sealed := app.SealedBy(h.sealed); !sealed || id == t.keys.First() {
					continue
				}
				plain, err := t.keys.Open(c.place+h.id, h.sealed)
				if err != nil {
					return err
				}
				if c.table == "settings" {
					t.touch(c.table, h.id)
				}
				if _, err := t.exec(ctx, "UPDATE "+c.table+" SET "+c.column+" = $2 WHERE "+c.key+" = $1", h.id, t.keys.Seal(c.place+h.id, plain)); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return sum, err
		}
		done()
		sum, last = sum+n, next
		if looked < resealBatch {
			return sum, nil
		}
	}
}
