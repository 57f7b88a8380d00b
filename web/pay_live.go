package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
)

// payState is what a waiting page is told: it fetches itself again when the version is another one.
type payState struct {
	Status  app.BuyerStatus `json:"status"`
	Version string          `json:"version"`
}

// getStatus handles GET /pay/{token}/status, for scripts that can't keep a stream open.
func (s *Server) getStatus(c echo.Context) error {
	co, err := s.Shop.Checkout(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, payState{co.Status, payVersion(co)})
}

// How a stream of events breathes.
const (
	pingEvery  = 15 * time.Second // also looks at the clock: an order may have expired
	streamLife = 10 * time.Minute // the browser comes back by itself
)

// getEvents handles GET /pay/{token}/events: one message at once, and one whenever the page would look different.
func (s *Server) getEvents(c echo.Context) error {
	ctx := c.Request().Context()
	co, err := s.Shop.Checkout(ctx, c.Param("token"))
	if err != nil {
		return err
	}
	ticks, stop := s.Shop.Watch(co.Order.No)
	defer stop()
	rc := http.NewResponseController(c.Response())
	if err := rc.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	ping, end := time.NewTicker(pingEvery), time.NewTimer(streamLife)
	defer ping.Stop()
	defer end.Stop()
	last := ""
	for {
		co, err := s.Shop.Checkout(ctx, c.Param("token"))
		if err != nil {
			return nil // the stream ends; the page asks for its status instead
		}
		line := ": still here\n\n"
		if v := payVersion(co); v != last {
			last = v
			data, err := json.Marshal(payState{co.Status, v})
			if err != nil {
				return fmt.Errorf("events: %w", err)
			}
			line = fmt.Sprintf("retry: 3000\ndata: %s\n\n", data)
		}
		if _, err := c.Response().Write([]byte(line)); err != nil {
			return nil // the page is gone
		}
		if err := rc.Flush(); err != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-end.C:
			return nil
		case <-ticks:
		case <-ping.C:
		}
	}
}
