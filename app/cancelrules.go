package app

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gage/smartro"
)

const settingCancelRules = "cancel_rules"

// RuleCase says for which payments of a method a rule stands. Days and months are those of Korea.
type RuleCase string

// The cases.
const (
	CaseSameDay   RuleCase = "same_day"   // cancelled on the day of its approval: before acquisition (cancel §3)
	CaseLater     RuleCase = "later"      // from the next day on: after acquisition
	CaseSameMonth RuleCase = "same_month" // within the month of its approval (cancel §2)
	CasePastMonth RuleCase = "past_month"
	CaseAlways    RuleCase = "always"
)

// CancelRule says what a cancel of a payment does today. No gateway tells all of it, and it changes: it is data, with
// its source and the day it was last looked at, and the owner changes it.
type CancelRule struct {
	Method  Method   `json:"method"`
	Case    RuleCase `json:"case"`
	Allowed bool     `json:"allowed"` // by a call to the gateway
	Parts   bool     `json:"parts"`   // less than all that is left
	// From and To are how many business days it takes until the buyer sees the money, at least and at most; both 0: it is
	// back at once.
	From   int    `json:"from"`
	To     int    `json:"to"`
	Source string `json:"source"` // where it is known from
	Date   string `json:"date"`   // yyyy-mm-dd: as of which day
}

// The sources of the rules that the program comes with.
const (
	sourceGuide  = "결제사 가맹점 안내"
	sourceKit    = "결제사 연동 문서"
	sourceCustom = "업계 관행"
	rulesAsOf    = "2026-11-27"
)

// cancelRules are those that the program comes with (cancel §2–4). Days are the trade's, where the gateway says only
// "some days".
var cancelRules = []CancelRule{
	{smartro.Card, CaseSameDay, true, true, 0, 0, sourceGuide, rulesAsOf},
	{smartro.Card, CaseLater, true, true, 3, 5, sourceGuide + ", " + sourceCustom, rulesAsOf},
	{smartro.Bank, CaseAlways, true, true, 0, 3, sourceKit + ", " + sourceCustom, rulesAsOf},
	{smartro.Vbank, CaseAlways, true, true, 1, 3, sourceGuide + ", " + sourceCustom, rulesAsOf},
	{smartro.Cellphone, CaseSameMonth, true, false, 0, 0, sourceCustom, rulesAsOf},
	{smartro.Cellphone, CasePastMonth, false, false, 0, 0, sourceCustom, rulesAsOf},
	{smartro.CLGift, CaseAlways, true, false, 0, 0, sourceKit + ", " + sourceCustom, rulesAsOf},
	{smartro.Kakao, CaseAlways, true, false, 0, 5, sourceKit + ", " + sourceCustom, rulesAsOf},
	{smartro.Toss, CaseAlways, true, false, 0, 5, sourceKit + ", " + sourceCustom, rulesAsOf},
}

// CancelRules are the program's, and instead of them what the owner changed.
func (s *Shop) CancelRules(ctx context.Context) ([]CancelRule, error) {
	return s.cancelRules(ctx, s.Store)
}

func (s *Shop) cancelRules(ctx context.Context, r Reader) ([]CancelRule, error) {
	list := slices.Clone(cancelRules)
	changed, err := setting[[]CancelRule](ctx, r, settingCancelRules, nil)
	if err != nil {
		return nil, err
	}
	for _, c := range changed {
		if i := slices.IndexFunc(list, c.sameCase); i >= 0 {
			list[i] = c
		}
	}
	return list, nil
}

func (c CancelRule) sameCase(o CancelRule) bool { return c.Method == o.Method && c.Case == o.Case }

// SetCancelRules changes rules and days off, as they are typed: yyyy-mm-dd each. Rules that stay as they are keep their source
// and day. InputError names its field with the number of the rule in [Shop.CancelRules]: to.2.
func (s *Shop) SetCancelRules(ctx context.Context, actor Staff, rules []CancelRule, daysOffTyped string) error {
	if err := actor.must(RightChangeShop); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		have, err := s.cancelRules(ctx, tx)
		if err != nil {
			return err
		}
		if len(rules) != len(have) {
			return ErrBadInput
		}
		var errs []error
		var changed []CancelRule
		now := slices.Clone(have)
		for i, c := range rules {
			c.Method, c.Case, c.Date = have[i].Method, have[i].Case, have[i].Date
			c.Source = strings.Join(strings.Fields(c.Source), " ")
			errs = append(errs, c.check(i)...)
			if c != have[i] {
				c.Date = kstDay(s.Now())
			}
			now[i] = c
			if j := slices.IndexFunc(cancelRules, c.sameCase); cancelRules[j] != c {
				changed = append(changed, c)
			}
		}
		off, err := readDaysOff(daysOffTyped)
		if err := errors.Join(append(errs, err)...); err != nil {
			return err
		}
		hadOff, err := setting[DaysOff](ctx, tx, settingDaysOff, nil)
		if err != nil {
			return err
		}
		text, err := json.Marshal(changed)
		offText, offErr := json.Marshal(off)
		if err := errors.Join(err, offErr); err != nil {
			return err
		}
		seen := changesOfRules(have, now)
		seen.see("days_off", strings.Join(hadOff, " "), strings.Join(off, " "))
		return errors.Join(tx.SetSetting(ctx, settingCancelRules, string(text)), tx.SetSetting(ctx, settingDaysOff, string(offText)),
			s.note(ctx, tx, actor, Access{Kind: ChangedCancelRules, Words: seen.words()}))
	})
}

func (c CancelRule) check(i int) (errs []error) {
	bad := func(field, code, value string) {
		errs = append(errs, &InputError{Field: field + "." + strconv.Itoa(i), Code: code, Value: value})
	}
	if c.From < 0 || c.To < c.From || c.To > 60 {
		bad("to", "rule.days", "")
	}
	if c.Source == "" {
		bad("source", "rule.source", "")
	} else if utf8.RuneCountInString(c.Source) > 100 || !utf8.ValidString(c.Source) {
		bad("source", "too_long", "")
	}
	return errs
}

// ruleFor is the rule that stands for p at a time. Of a method without rules nothing is known: whole, and the gateway
// decides.
func ruleFor(rules []CancelRule, p Payment, at time.Time) CancelRule {
	method := p.Method
	if method == smartro.CardBill {
		method = smartro.Card
	}
	day, paid := kstDay(at), kstDay(p.MoneyAt())
	for _, c := range rules {
		if c.Method != method {
			continue
		}
		switch same := day <= paid; c.Case { // our clock may be behind the gateway's
		case CaseSameDay:
			if same {
				return c
			}
		case CaseSameMonth:
			if same || day[:7] == paid[:7] {
				return c
			}
		default:
			return c
		}
	}
	return CancelRule{Method: p.Method, Case: CaseAlways, Allowed: true, From: 0, To: 5, Source: sourceCustom, Date: rulesAsOf}
}

// Company is the card company, or the bank; empty: the gateway did not say.
func (p Payment) Company() string {
	if p.CardName == "" {
		return p.VbankName
	}
	return p.CardName
}

// MoneyAt is when the money came, by the gateway's clock where it told; zero: none came.
func (p Payment) MoneyAt() time.Time {
	if p.ApprovedAt.IsZero() {
		return p.PaidAt
	}
	return p.ApprovedAt
}

// Back is when the buyer sees the money of a cancel, first and last day in Korea. Saturdays, Sundays and holidays don't count.
func (c CancelRule) Back(cancelled time.Time, off DaysOff) (first, last time.Time) {
	return off.after(cancelled, c.From), off.after(cancelled, c.To)
}
