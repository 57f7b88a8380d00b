package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
)

const (
	// secondPath is where a person sets up their second factor: the only page of who has to.
	secondPath = "/admin/account/second"
	codePath   = "/admin/sign-in/code"
	// halfFor is how long a right password waits for the second factor.
	halfFor = 5 * time.Minute
	// fieldSecret is the secret that waits for its first code, sealed.
	fieldSecret = "secret"
)

func codeURL(next string) string {
	if next == "" {
		return codePath
	}
	return codePath + "?next=" + url.QueryEscape(next)
}

// requireHalf lets in whose password was right just now.
func (s *Server) requireHalf(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		who, err := s.readHalf(c)
		if err != nil {
			return err
		}
		c.Set(staffKey, who)
		return next(c)
	}
}

// readHalf is whose password was right just now. errSignedOut: nobody's, or too long ago, or it was changed since.
func (s *Server) readHalf(c echo.Context) (app.Staff, error) {
	ses, err := s.session(c)
	if err != nil {
		return app.Staff{}, err
	}
	id, _ := ses.Values[keyHalf].(string)
	typed, _ := ses.Values[keyTyped].(string)
	at, err := time.Parse(time.RFC3339Nano, typed)
	if age := s.Now().Sub(at); id == "" || err != nil || age < 0 || age >= halfFor {
		return app.Staff{}, errSignedOut
	}
	who, err := s.Shop.Store.StaffByID(c.Request().Context(), id)
	if errors.Is(err, app.ErrNotFound) {
		return who, errSignedOut
	}
	if err != nil {
		return who, err
	}
	if hash, _ := ses.Values[keyHash].(string); hash != sessionHash(who.PasswordHash.Reveal()) || !who.DisabledAt.IsZero() || !who.HasSecond {
		return app.Staff{}, errSignedOut
	}
	return who, nil
}

// getCode handles GET /admin/sign-in/code: asks for the second factor.
func (s *Server) getCode(c echo.Context) error {
	f, err := s.codeForm(c, c.QueryParam("next"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, templates.SignInCode(f))
}

// codeForm asks for what the person has.
func (s *Server) codeForm(c echo.Context, next string) (templates.CodeForm, error) {
	v, err := s.Shop.Second(c.Request().Context(), staffOf(c))
	f := templates.CodeForm{Next: next, App: v.App}
	if len(v.Passkeys) > 0 {
		f.Passkeys = s.passkeyPlace(c)
	}
	return f, err
}

// postCode handles POST /admin/sign-in/code: with a right code the person is signed in.
func (s *Server) postCode(c echo.Context) error {
	code, next := c.FormValue("code"), c.FormValue("next")
	if recovery := strings.TrimSpace(c.FormValue("recovery")); recovery != "" {
		code = recovery
	}
	who, err := s.Shop.SignInSecond(c.Request().Context(), staffOf(c), code, peer(c))
	if errors.Is(err, app.ErrSignIn) || errors.Is(err, app.ErrThrottled) || errors.Is(err, app.ErrClock) {
		a := answerFor(err)
		f, err := s.codeForm(c, next)
		if err != nil {
			return err
		}
		f.Error, f.Recovery = text.T(c.Request().Context(), "error."+a.word+".text"), c.FormValue("recovery") != ""
		if a.word == "sign_in" {
			f.Error = text.T(c.Request().Context(), "staff.code.wrong")
		}
		return s.render(c, a.status, templates.SignInCode(f))
	}
	if err != nil {
		return err
	}
	if err := s.beginSession(c, who); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, nextPage(next))
}

// secretPlace is where a sealed secret belongs: one person's, in one sign-in.
func (s *Server) secretPlace(c echo.Context) (string, error) {
	ses, err := s.session(c)
	if err != nil {
		return "", err
	}
	began, _ := ses.Values[keyCreated].(time.Time)
	return fmt.Sprintf("secret/%s/%d", staffOf(c).ID, began.UnixMicro()), nil
}

// getSecond handles GET /admin/account/second: a new secret as a picture and as text, or what there is already.
func (s *Server) getSecond(c echo.Context) error {
	return s.showSecond(c, http.StatusOK, "", "")
}

// showSecond shows a secret to take into an app; an empty one is made anew.
func (s *Server) showSecond(c echo.Context, status int, secret app.Secret, fault string) error {
	ctx, who := c.Request().Context(), staffOf(c)
	v, err := s.Shop.Second(ctx, who)
	if err != nil {
		return err
	}
	if v.App {
		return c.Redirect(http.StatusSeeOther, "/admin/account#second")
	}
	frame, err := s.staffFrame(c, "account", "staff.second.title")
	if err != nil {
		return err
	}
	made, address, err := s.Shop.NewSecond(ctx, who)
	if err != nil {
		return err
	}
	if secret == "" {
		secret = made
	}
	address = strings.ReplaceAll(address, made.Reveal(), secret.Reveal())
	picture, err := qrSVG(address)
	if err != nil {
		return err
	}
	place, err := s.secretPlace(c)
	if err != nil {
		return err
	}
	p := templates.SecondPage{
		StaffFrame: frame, QR: "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(picture), Secret: inFours(secret.Reveal()),
		Kept: s.Shop.Keys.Seal(place, []byte(secret.Reveal())), Error: fault,
	}
	p.Passkeys = s.passkeyPlace(c)
	if p.Must, err = s.Shop.MustEnrol(ctx, who); err != nil {
		return err
	}
	return s.render(c, status, templates.Second(p))
}

// postSecond handles POST /admin/account/second: the app's first code turns it on, and the recovery codes are shown,
// this once.
func (s *Server) postSecond(c echo.Context) error {
	ctx := c.Request().Context()
	place, err := s.secretPlace(c)
	if err != nil {
		return err
	}
	plain, err := s.Shop.Keys.Open(place, c.FormValue(fieldSecret))
	if err != nil {
		return fmt.Errorf("secret: %w: %w", app.ErrBadInput, err)
	}
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	recovery, err := s.Shop.Enrol(ctx, staffOf(c), app.Secret(plain), c.FormValue("code"), hashOf(ses))
	switch {
	case errors.Is(err, app.ErrSignIn):
		return s.showSecond(c, http.StatusUnprocessableEntity, app.Secret(plain), text.T(ctx, "staff.second.wrong"))
	case errors.Is(err, app.ErrClock):
		return s.showSecond(c, http.StatusUnprocessableEntity, app.Secret(plain), text.T(ctx, "error.clock.text"))
	case err != nil:
		return err
	}
	return s.showRecovery(c, recovery)
}

func (s *Server) showRecovery(c echo.Context, recovery []string) error {
	who := staffOf(c)
	who.HasSecond = true
	c.Set(staffKey, who)
	frame, err := s.staffFrame(c, "account", "staff.recovery.title")
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, templates.Recovery(templates.RecoveryPage{StaffFrame: frame, Codes: recovery, Email: who.Email}))
}

// postRecovery handles POST /admin/account/second/recovery: new recovery codes in place of the old ones.
func (s *Server) postRecovery(c echo.Context) error {
	recovery, err := s.Shop.NewRecovery(c.Request().Context(), staffOf(c))
	if err != nil {
		return err
	}
	return s.showRecovery(c, recovery)
}

// postDropSecond handles POST /admin/account/second/off.
func (s *Server) postDropSecond(c echo.Context) error {
	if err := s.Shop.DropSecond(c.Request().Context(), staffOf(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/account?second=off#second")
}

// inFours writes a secret as people copy it: in groups of four.
func inFours(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// qrSVG draws text as a QR code.
func qrSVG(content string) ([]byte, error) {
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	const quiet = 4 // modules of white around it, as the standard asks
	size := code.Bounds().Dx() + 2*quiet
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges"><rect width="%[1]d" height="%[1]d" fill="#fff"/><path d="`, size)
	for y := range code.Bounds().Dy() {
		for x := range code.Bounds().Dx() {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	b.WriteString(`" fill="#000"/></svg>`)
	return []byte(b.String()), nil
}
