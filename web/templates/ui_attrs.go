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

func set(a templ.Attributes, key, value string) {
	if value != "" {
		a[key] = value
	}
}
