package web

import (
	"github.com/labstack/echo/v4"

	"gage/web/static"
)

// getStatic handles GET /static/*: what is embedded may be kept by the browser, unlike every other answer.
func (s *Server) getStatic(c echo.Context) error {
	c.Response().Header().Del("Cache-Control")
	static.Handler().ServeHTTP(c.Response(), c.Request())
	return nil
}
