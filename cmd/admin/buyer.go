package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"gage/smartro"
)

// buyer walks through the gateway's window by HTTP alone, as a browser without scripts does: it posts the shop's
// form, presses a button, and carries the result back. The demo's sample payments are made by one.
type buyer struct {
	http *http.Client
	pick int // which option of each list to choose, counted round
}

func newBuyer() *buyer {
	return &buyer{http: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// The buttons of the payment window.
const (
	approve = "approve"
	decline = "decline"
	closing = "close"
)

// maxPage bounds a page, in bytes.
const maxPage = 1 << 20

// errNoResult says that the window ended without sending the buyer back to the shop.
var errNoResult = errors.New("the window gave no result")

// open posts the shop's form and returns the window.
func (b *buyer) open(ctx context.Context, f smartro.Form) (*pageForm, error) {
	p, err := b.post(ctx, f.Action, f.Encode())
	if err != nil {
		return nil, err
	}
	if p == nil || p.id == "tranMgr" {
		return nil, fmt.Errorf("%s shows no payment window", f.Action)
	}
	return p, nil
}

// press presses a button of the window and carries what comes out of it back to the shop. errNoResult: nothing did.
func (b *buyer) press(ctx context.Context, window *pageForm, button string) error {
	result, err := b.decide(ctx, window, button)
	if err != nil {
		return err
	}
	_, err = b.submit(ctx, result, "")
	return err
}

// decide presses a button and returns the gateway's self-posting form, which is yet to be carried to the shop.
func (b *buyer) decide(ctx context.Context, window *pageForm, button string) (*pageForm, error) {
	page := window
	for range 4 { // window, confirmation, result
		next, err := b.submit(ctx, page, button)
		switch {
		case err != nil:
			return nil, err
		case next == nil:
			return nil, errNoResult
		case next.id == "tranMgr":
			return next, nil
		}
		page = next
	}
	return nil, errNoResult
}

func (b *buyer) submit(ctx context.Context, f *pageForm, button string) (*pageForm, error) {
	fields := slices.Clone(f.fields)
	for _, list := range f.lists {
		if n := len(list.options); n > 0 {
			fields = append(fields, smartro.Field{Name: list.name, Value: list.options[b.pick%n]})
		}
	}
	if button != "" {
		fields = append(fields, smartro.Field{Name: "action", Value: button})
	}
	return b.post(ctx, f.action, smartro.EncodeForm(fields, f.charset))
}

// post sends a form and reads the first form of the answer; nil if there is none.
func (b *buyer) post(ctx context.Context, to string, body []byte) (*pageForm, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := b.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("POST %s: HTTP %d", req.URL.Path, resp.StatusCode)
	}
	return readForm(req.URL, string(raw))
}

// pageForm is the form of a page, as a browser would post it.
type pageForm struct {
	id, action string
	charset    smartro.Charset
	fields     []smartro.Field
	lists      []optionList
}

type optionList struct {
	name    string
	options []string
}

// readForm reads the first form of a page with its hidden fields and lists. Buttons and free text are left out.
func readForm(base *url.URL, page string) (*pageForm, error) {
	var f *pageForm
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if errors.Is(z.Err(), io.EOF) {
				return f, nil
			}
			return nil, z.Err()
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.Data == "form" {
				action, err := base.Parse(attribute(t, "action"))
				if err != nil {
					return nil, err
				}
				f = &pageForm{id: attribute(t, "id"), action: action.String(), charset: smartro.UTF8}
				if strings.EqualFold(attribute(t, "accept-charset"), "euc-kr") {
					f.charset = smartro.EUCKR
				}
			} else if f != nil {
				f.add(t)
			}
		case html.EndTagToken:
			if f != nil && z.Token().Data == "form" {
				return f, nil
			}
		}
	}
}

func (f *pageForm) add(t html.Token) {
	switch {
	case t.Data == "input" && attribute(t, "type") == "hidden":
		f.fields = append(f.fields, smartro.Field{Name: attribute(t, "name"), Value: attribute(t, "value")})
	case t.Data == "select":
		f.lists = append(f.lists, optionList{name: attribute(t, "name")})
	case t.Data == "option" && len(f.lists) > 0:
		last := &f.lists[len(f.lists)-1]
		last.options = append(last.options, attribute(t, "value"))
	}
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
