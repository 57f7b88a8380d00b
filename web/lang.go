package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"gage/web/text"
	"gage/web/view"
)

const langCookie = "lang"

// language chooses the page's language: ?lang= (kept in a cookie), the cookie, what the browser prefers. The
// gateway's routes read no cookie.
func (s *Server) language(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		lang := text.Match(c.Request().Header.Get("Accept-Language"))
		if !strings.HasPrefix(c.Request().URL.Path, "/smartro/") {
			if kept, err := c.Cookie(langCookie); err == nil {
				if l, ok := text.Parse(kept.Value); ok {
					lang = l
				}
			}
			if l, ok := text.Parse(c.QueryParam("lang")); ok {
				lang = l
				c.SetCookie(&http.Cookie{
					Name: langCookie, Value: string(l), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
					HttpOnly: true, Secure: s.https(), SameSite: http.SameSiteLaxMode,
				})
			}
		}
		c.SetRequest(c.Request().WithContext(view.At(text.With(c.Request().Context(), lang), s.Now())))
		return next(c)
	}
}

// otherLangHref is this page in the other language.
func otherLangHref(ctx context.Context, path string) string {
	if text.Of(ctx) == text.Korean {
		return path + "?lang=" + string(text.English)
	}
	return path + "?lang=" + string(text.Korean)
}
