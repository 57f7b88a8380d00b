package web

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
)

// receiveReturn handles POST and GET /smartro/return: the buyer's browser brings the gateway's result. It needs no
// cookie and answers 303, so that reload and Back repeat nothing. Only the return token says which page to show.
func (s *Server) receiveReturn(c echo.Context) error {
	a, err := arrival(c, app.ChannelReturn)
	if err != nil {
		return err
	}
	if len(a.Body) == 0 && strings.Contains(a.Query, "&") { // a result by GET: all of it stands in the URL
		a.Body = []byte(a.Query)
	}
	got, err := s.Shop.Receive(c.Request().Context(), a)
	if err != nil {
		return err
	}
	return s.showPage(c, got, "/back")
}

// receiveStop handles POST and GET /smartro/stop: the buyer left the mobile window. It is a hint and nothing more.
func (s *Server) receiveStop(c echo.Context) error {
	a, err := arrival(c, app.ChannelStop)
	if err != nil {
		return err
	}
	got, err := s.Shop.Receive(c.Request().Context(), a)
	if err != nil {
		return err
	}
	return s.showPage(c, got, "")
}

// showPage sends the browser to the order's page; in the PC's popup by way of the page that closes it.
func (s *Server) showPage(c echo.Context, got app.Received, popupSuffix string) error {
	switch {
	case got.OrderToken != "":
		path := payPath(got.OrderToken)
		if popupSuffix != "" && s.inPopup(c, got.OrderToken) {
			path += popupSuffix
		}
		return c.Redirect(http.StatusSeeOther, path)
	case got.Verdict == app.VerdictUnreadable:
		if wantsJSON(c) {
			return app.ErrBadInput
		}
		return s.renderNeutral(c, http.StatusBadRequest, "wrong", "circle-x", "pay.unreadable")
	}
	return c.Redirect(http.StatusSeeOther, "/pay/received")
}

// inPopup says whether the order's window was opened on a desktop. A wrong answer costs one redirect.
func (s *Server) inPopup(c echo.Context, token string) bool {
	co, err := s.Shop.Checkout(c.Request().Context(), token)
	return err == nil && co.Current != nil && co.Current.Device == smartro.PC
}

// receiveNotify handles /smartro/notify and /smartro/notify/{secret}, the retry notification (재통보, weblink §7).
// The gateway repeats it until it reads OK, so OK is said only of what is durable, and nothing else here has
// those two letters in it.
func (s *Server) receiveNotify(c echo.Context) error {
	a, err := arrival(c, app.ChannelNotify)
	if err != nil {
		return err
	}
	a.Secret = c.Param("secret")
	got, err := s.Shop.Receive(c.Request().Context(), a)
	if err != nil {
		return err
	}
	if got.Verdict == app.VerdictUnreadable {
		return c.String(http.StatusBadRequest, "refused: not readable as a notice; "+
			"send the gateway's fields as application/x-www-form-urlencoded, each decisive one once")
	}
	// crash point: notification durable, OK not said
	return c.String(http.StatusOK, "OK")
}

// arrival takes down what came, as it came.
func arrival(c echo.Context, ch app.Channel) (app.Arrival, error) {
	r := c.Request()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return app.Arrival{}, fmt.Errorf("%s: %w", ch, err)
	}
	return app.Arrival{
		Channel: ch, Peer: peer(c), ContentType: clip(r.Header.Get(echo.HeaderContentType), 200),
		Headers: evidence(r), Body: body, Query: r.URL.RawQuery, Token: c.QueryParam("t"),
	}, nil
}

// evidence keeps the headers that help to judge a message, now and later: whether a browser sent it ([app.FromBrowser]), above
// all. A cookie is named, never kept.
func evidence(r *http.Request) string {
	var lines []string
	for _, name := range []string{"User-Agent", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode", "X-Forwarded-For"} {
		if v := r.Header.Get(name); v != "" {
			lines = append(lines, name+": "+clip(v, 300))
		}
	}
	for _, name := range []string{"Origin", "Cookie", "Sec-Fetch-Dest", "Sec-Fetch-User"} {
		switch v, there := r.Header[name]; {
		case !there:
		case name == "Cookie":
			lines = append(lines, "Cookie: present")
		default:
			lines = append(lines, name+": "+clip(v[0], 300)) // empty ones, too
		}
	}
	return strings.Join(lines, "\n")
}
