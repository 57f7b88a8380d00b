package templates

import "github.com/a-h/templ"

// fieldAttrs are the attributes that every kind of input shares; empty ones are left out.
func fieldAttrs(f FieldView) templ.Attributes {
	a := templ.Attributes{"id": f.Name, "name": f.Name}
	if f.Required {
		a["required"] = true
	}
	set(a, "autocomplete", f.Autocomplete)
	set(a, "inputmode", f.InputMode)
	set(a, "placeholder", f.Placeholder)
	set(a, "aria-describedby", f.describedBy())
	if f.Error != "" {
		a["aria-invalid"] = "true"
	}
	for k, v := range f.Attrs {
		a[k] = v
	}
	return a
}

func selectAttrs(s SelectView) templ.Attributes {
	return fieldAttrs(FieldView{Name: s.Name, Hint: s.Hint, Error: s.Error, Required: s.Required, Attrs: s.Attrs})
}

// idOf is the name of a control within the page: its field's name, unless the page has two of that name.
func idOf(name string, attrs templ.Attributes) string {
	if id, ok := attrs["id"].(string); ok {
		return id
	}
	return name
}

func (f FieldView) id() string { return idOf(f.Name, f.Attrs) }

func set(a templ.Attributes, key, value string) {
	if value != "" {
		a[key] = value
	}
}
