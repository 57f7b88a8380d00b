package app

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"
)

// View is a list that a person comes back to: its filters and its search, under a name of that person's own.
type View struct {
	Name  string // up to 30 characters
	Query string // the list's own parameters, URL-encoded
}

// MaxViews is how many a person may keep.
const MaxViews = 20

// settingViews is the key of a person's views. They are sealed: a search may name a buyer.
func settingViews(staffID string) string { return "views/" + staffID }

// Views are the person's own, by name.
func (s *Shop) Views(ctx context.Context, actor Staff) ([]View, error) {
	var list []View
	return list, s.readSealed(ctx, s.Store, settingViews(actor.ID), &list)
}

// SaveView keeps v, instead of the one that had its name. InputError: no name, too long, or too many.
func (s *Shop) SaveView(ctx context.Context, actor Staff, v View) error {
	v.Name = strings.Join(strings.Fields(v.Name), " ")
	switch {
	case v.Name == "":
		return &InputError{Field: "name", Code: "required"}
	case utf8.RuneCountInString(v.Name) > 30 || len(v.Query) > 2000:
		return &InputError{Field: "name", Code: "too_long"}
	}
	return s.changeViews(ctx, actor, func(list []View) ([]View, error) {
		list = slices.DeleteFunc(list, func(o View) bool { return o.Name == v.Name })
		if len(list) >= MaxViews {
			return nil, &InputError{Field: "name", Code: "views.many"}
		}
		list = append(list, v)
		slices.SortFunc(list, func(a, b View) int { return strings.Compare(a.Name, b.Name) })
		return list, nil
	})
}

// DropView forgets the view of that name, if there is one.
func (s *Shop) DropView(ctx context.Context, actor Staff, name string) error {
	return s.changeViews(ctx, actor, func(list []View) ([]View, error) {
		return slices.DeleteFunc(list, func(o View) bool { return o.Name == name }), nil
	})
}

func (s *Shop) changeViews(ctx context.Context, actor Staff, change func([]View) ([]View, error)) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		var list []View
		if err := s.readSealed(ctx, tx, settingViews(actor.ID), &list); err != nil {
			return err
		}
		list, err := change(list)
		if err != nil {
			return err
		}
		return s.writeSealed(ctx, tx, settingViews(actor.ID), list)
	})
}
