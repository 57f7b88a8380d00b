package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"gage/app"
)

// A session ends after sessionIdle without a request, and after sessionMax whatever happens.
const (
	sessionIdle  = 15 * time.Minute
	sessionMax   = 8 * time.Hour
	sessionTouch = time.Minute // how exactly the last request is remembered
)

// What a session keeps: values are strings, but for the times.
const (
	keyStaff   = "staff"   // ID of who signed in
	keyCreated = "created" // time.Time
	keySeen    = "seen"    // time.Time
	keyRole    = "role"    // what the person might do when signing in
	keyPeer    = "peer"    // the address it was begun from
	keyAgent   = "agent"   // the browser, as it names itself
	keyTyped   = "typed"   // when the password was typed last, RFC 3339
	keyHalf    = "half"    // ID of whose password was right, while the second factor is still to be shown: nobody yet
	keyHash    = "hash"    // digest of that password's hash: another password, another beginning
)

// maxAgent is how much of a browser's name is kept.
const maxAgent = 300

// sessionStore keeps gorilla's sessions in the database. The cookie carries a random key of 256 bits; the database
// has its digest only, so that a stolen copy of it opens nothing.
type sessionStore struct {
	store  app.Store
	keys   *app.Keyring
	now    func() time.Time
	secure bool
}

var _ sessions.Store = (*sessionStore)(nil)

// cookieName binds the cookie to this very host where the browser can: over TLS.
func (st *sessionStore) cookieName() string {
	if st.secure {
		return "__Host-sid"
	}
	return "sid"
}

func (st *sessionStore) options() *sessions.Options {
	return &sessions.Options{
		Path: "/", MaxAge: int(sessionMax / time.Second),
		Secure: st.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// Get returns the request's session, read once a request.
func (st *sessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(st, name)
}

// New reads the session that the request's cookie names; a cookie that names none gives a fresh one.
func (st *sessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	fresh := sessions.NewSession(st, name)
	fresh.Options, fresh.IsNew = st.options(), true
	cookie, err := r.Cookie(name)
	if err != nil {
		return fresh, nil
	}
	hash := sessionHash(cookie.Value)
	kept, err := st.store.Session(r.Context(), hash)
	if errors.Is(err, app.ErrNotFound) {
		return fresh, nil
	}
	if err != nil {
		return fresh, fmt.Errorf("session: %w", err)
	}
	// A clock that went back must not give an ended session more time.
	if now := st.now(); !now.Before(kept.ExpiresAt) || now.Before(kept.SeenAt.Add(-sessionTouch)) {
		return fresh, nil
	}
	data, err := st.data(kept)
	if err != nil {
		return fresh, err
	}
	s := sessions.NewSession(st, name)
	s.Options, s.ID = st.options(), cookie.Value
	s.Values[keyStaff], s.Values[keyCreated], s.Values[keySeen] = kept.StaffID, kept.CreatedAt, kept.SeenAt
	for k, v := range data {
		s.Values[k] = v
	}
	return s, nil
}

// data opens what a stored session keeps besides its times.
func (st *sessionStore) data(kept app.Session) (map[string]string, error) {
	data := map[string]string{}
	if kept.Data == "" {
		return data, nil
	}
	plain, err := st.keys.Open("session/"+kept.Hash, kept.Data)
	if err == nil {
		err = json.Unmarshal(plain, &data)
	}
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return data, nil
}

// Save stores the session and sets its cookie; with a negative MaxAge it deletes both.
func (st *sessionStore) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if s.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(s.Name(), "", s.Options))
		if s.ID == "" {
			return nil
		}
		return st.store.Update(r.Context(), func(tx app.Tx) error {
			return tx.DeleteSession(r.Context(), sessionHash(s.ID))
		})
	}
	if s.ID == "" {
		key := make([]byte, 32)
		rand.Read(key)
		s.ID = base64.RawURLEncoding.EncodeToString(key)
		if _, renewed := s.Values[keyCreated]; !renewed {
			s.Values[keyCreated] = st.now()
		}
	}
	row, err := st.row(s)
	if err != nil {
		return err
	}
	err = st.store.Update(app.Essential(r.Context()), func(tx app.Tx) error { return tx.SaveSession(r.Context(), row) })
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	http.SetCookie(w, sessions.NewCookie(s.Name(), s.ID, s.Options))
	return nil
}

// row is the session as the database keeps it.
func (st *sessionStore) row(s *sessions.Session) (app.Session, error) {
	now := st.now()
	created, _ := s.Values[keyCreated].(time.Time)
	staff, _ := s.Values[keyStaff].(string)
	row := app.Session{
		Hash: sessionHash(s.ID), StaffID: staff, CreatedAt: created, SeenAt: now, ExpiresAt: now.Add(sessionIdle),
	}
	if last := created.Add(sessionMax); row.ExpiresAt.After(last) {
		row.ExpiresAt = last
	}
	data := map[string]string{}
	for k, v := range s.Values {
		name, _ := k.(string)
		if text, ok := v.(string); ok && name != keyStaff {
			data[name] = text
		}
	}
	if len(data) == 0 {
		return row, nil
	}
	plain, err := json.Marshal(data)
	if err != nil {
		return row, fmt.Errorf("session: %w", err)
	}
	row.Data = st.keys.Seal("session/"+row.Hash, plain)
	return row, nil
}

func sessionHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// hashOf names a session as the database does; empty for one that is not stored.
func hashOf(ses *sessions.Session) string {
	if ses.ID == "" {
		return ""
	}
	return sessionHash(ses.ID)
}

// session is the request's session.
func (s *Server) session(c echo.Context) (*sessions.Session, error) {
	return s.sessions.Get(c.Request(), s.sessions.cookieName())
}

// saveSession keeps what was changed in it. Call it before the answer is written.
func (s *Server) saveSession(c echo.Context, ses *sessions.Session) error {
	return ses.Save(c.Request(), c.Response())
}

// emptySession is the browser's session with another key and nothing in it; the old one is forgotten.
func (s *Server) emptySession(c echo.Context) (*sessions.Session, error) {
	ses, err := s.session(c)
	if err != nil {
		return nil, err
	}
	if err := s.Shop.ForgetSession(c.Request().Context(), hashOf(ses)); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	ses.ID = ""
	clear(ses.Values)
	return ses, nil
}

// beginSession gives the browser a new session for who has just proved to be staff; the old one is forgotten, so
// that a key somebody planted before the sign-in is worth nothing.
func (s *Server) beginSession(c echo.Context, who app.Staff) error {
	ses, err := s.emptySession(c)
	if err != nil {
		return err
	}
	agent := strings.ToValidUTF8(c.Request().UserAgent(), "")
	ses.Values[keyStaff], ses.Values[keyRole] = who.ID, string(who.Role)
	ses.Values[keyTyped] = s.Now().Format(time.RFC3339Nano)
	ses.Values[keyPeer], ses.Values[keyAgent] = peer(c).String(), agent[:min(len(agent), maxAgent)]
	return s.saveSession(c, ses)
}

// renewSession gives the session another key, and none of its time back: who has just typed the password again leaves
// behind whoever may have the old one.
func (s *Server) renewSession(c echo.Context, ses *sessions.Session) error {
	old := hashOf(ses)
	ses.ID = ""
	if err := s.saveSession(c, ses); err != nil {
		return err
	}
	return s.Shop.ForgetSession(c.Request().Context(), old)
}

// beginHalf gives the browser a session that is nobody's yet: it knows whose password was right just now.
func (s *Server) beginHalf(c echo.Context, who app.Staff) error {
	ses, err := s.emptySession(c)
	if err != nil {
		return err
	}
	ses.Values[keyHalf], ses.Values[keyHash] = who.ID, sessionHash(who.PasswordHash.Reveal())
	ses.Values[keyTyped] = s.Now().Format(time.RFC3339Nano)
	return s.saveSession(c, ses)
}

// endSession forgets the request's session here and in the browser.
func (s *Server) endSession(c echo.Context) error {
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	ses.Options.MaxAge = -1
	return s.saveSession(c, ses)
}
