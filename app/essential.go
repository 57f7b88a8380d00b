package app

import "context"

type essentialKey struct{}

// Essential marks the writes without which nobody can sign in and look. On a full disk the store keeps its last room
// for them; see [Store].
func Essential(ctx context.Context) context.Context {
	return context.WithValue(ctx, essentialKey{}, true)
}

// IsEssential says whether ctx comes from [Essential].
func IsEssential(ctx context.Context) bool {
	marked, _ := ctx.Value(essentialKey{}).(bool)
	return marked
}
