package sandbox

import (
	"errors"
	"net/http"
	"strings"

	"gage/smartro"
)

// key is the merchant key that the gateway has now: the configured one, until another was ordered.
func (g *Gateway) key() smartro.Secret { return *g.merchantKey.Load() }

// SetMerchantKey does what changing the key in the merchant site does: from now on windows, cancels, charges and
// the receipt data are checked with it, results and notifications signed, and billing keys enciphered. What is queued already keeps its signature. The
// change outlives a restart.
func (g *Gateway) SetMerchantKey(key smartro.Secret) error {
	text := key.Reveal()
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("merchant key: want printable ASCII without spaces")
	}
	err := g.ledger.update(func(*view) (entry, error) { return entry{At: g.now(), Key: text}, nil })
	if err == nil {
		g.merchantKey.Store(&key)
	}
	return err
}

// apiKey handles POST /control/api/key.
func (g *Gateway) apiKey(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Key string `json:"key"`
	}
	if !readJSON(w, r, &q) {
		return
	}
	if err := g.SetMerchantKey(smartro.Secret(q.Key)); err != nil {
		writeJSON(w, http.StatusBadRequest, apiError{err.Error()})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
