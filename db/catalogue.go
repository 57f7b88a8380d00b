package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// table is what a dump needs to know of one.
type table struct {
	name    string
	columns []string // by name, so that both engines write the same
	order   []string // expressions of the primary key: the order of the rows, the same on both engines
	needs   []string // the tables that its foreign keys point to
}

// bookkeeping says which tables are the migrations' own: a restore makes them anew.
func bookkeeping(name string) bool { return strings.HasPrefix(name, "goose_") }

// tables reads from the database's own catalogue what there is, so that no table can be forgotten. What others point
// to comes first.
func tables(ctx context.Context, d queries) ([]table, error) {
	names, err := many(ctx, d, scanText, d.engine.listTables())
	if err != nil {
		return nil, err
	}
	var all []table
	for _, name := range names {
		if bookkeeping(name) {
			continue
		}
		t := table{name: name}
		if t.columns, err = many(ctx, d, scanText, d.engine.listColumns(), name); err != nil {
			return nil, err
		}
		if t.order, err = many(ctx, d, scanText, d.engine.listKey(), name); err != nil {
			return nil, err
		}
		if t.needs, err = many(ctx, d, scanText, d.engine.listNeeds(), name); err != nil {
			return nil, err
		}
		if len(t.columns) == 0 || len(t.order) == 0 {
			return nil, fmt.Errorf("table %s has no columns or no primary key: it can't be written down row by row", name)
		}
		slices.Sort(t.columns)
		all = append(all, t)
	}
	return sorted(all)
}

// sorted puts every table behind those that it needs; by name otherwise.
func sorted(all []table) ([]table, error) {
	slices.SortFunc(all, func(a, b table) int { return strings.Compare(a.name, b.name) })
	var out []table
	done := map[string]bool{}
	for len(out) < len(all) {
		before := len(out)
		for _, t := range all {
			ready := !done[t.name] && !slices.ContainsFunc(t.needs, func(n string) bool { return n != t.name && !done[n] })
			if ready {
				out, done[t.name] = append(out, t), true
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("tables point to one another in a circle: %d of %d could be put in order", len(out), len(all))
		}
	}
	return out, nil
}

// quoted are names as SQL writes them.
func quoted(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = quote(n)
	}
	return strings.Join(list, ", ")
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// schemaVersion is the number of the last migration that the database has had. ErrNotFound: none.
func schemaVersion(ctx context.Context, d queries) (int64, error) {
	return one(ctx, d, scanInt, "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied")
}
