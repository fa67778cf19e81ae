# The prompt event of examples/acme as an author of Rego would write it by hand: 12 rules, 2 classifications, 2 routes,
# 2 budgets. One document, and in it what examples/acme's own decision has: outcome, reasons, model, redactions, output
# tokens. `policy.rego` in a bundle is not this: that is generated, and says the same in every corner.
package peer

models := {
	"gemma": {
		"wire": "gemma-3-270m", "zone": "onprem", "region": "eu", "tier": "small", "clearance": 2,
		"input_price": 20000, "output_price": 50000, "context": 4096, "max_output": 256,
	},
	"frontier": {
		"wire": "frontier-1", "zone": "external", "region": "us", "tier": "frontier", "clearance": 1,
		"input_price": 2500000, "output_price": 10000000, "context": 4096, "max_output": 256,
	},
}

by_price := ["gemma", "frontier"]

personal := {"email", "phone", "us_ssn", "passport", "date_of_birth", "employee_id", "iban", "payment_card"}

found := {name | some name in input.text.found}

classification := 3 if {
	count(found & {"us_ssn", "passport"}) > 0
} else := 2 if {
	count(found & {"iban", "project_code"}) > 0
} else := 1

default groups := []

groups := input.caller.groups

contractor if "contractors" in groups

trial if "trial" in groups

default choices := 1

choices := input.prompt.choices

default tools := 0

tools := input.prompt.tools

asked_output(model) := input.prompt.output_tokens if {
	is_number(input.prompt.output_tokens)
} else := model.max_output

output_tokens(model) := min([asked_output(model), 200]) if {
	input.caller.department == "support"
} else := asked_output(model)

micros(model) := ((input.prompt.input_tokens_bound * model.input_price) + ((choices * output_tokens(model)) * model.output_price)) / 1000000

small_question if {
	input.prompt.tokens_estimate <= 400
	input.prompt.complexity < 400
}

candidates := ["gemma", "frontier"] if {
	input.prompt.requested_model == "auto"
	small_question
} else := ["frontier", "gemma"] if {
	input.prompt.requested_model == "auto"
} else := array.concat([name | some name, model in models; model.wire == input.prompt.requested_model], by_price)

removed contains name if { # residency
	input.caller.region == "eu"
	classification > 1
	some name, model in models
	model.region != "eu"
}

removed contains name if { # clearance
	some name, model in models
	model.clearance < classification
}

removed contains name if { # contractors_small
	contractor
	some name, model in models
	model.tier != "small"
}

removed contains name if { # hr_onprem
	input.caller.department == "hr"
	some name, model in models
	model.zone != "onprem"
}

removed contains name if { # trial_frontier
	trial
	some name, model in models
	model.tier != "frontier"
}

removed contains name if { # marketing_month
	input.caller.department == "marketing"
	some name, model in models
	micros(model) > input.budget.marketing_month.headroom
}

removed contains name if { # marketing_month, at 95 percent
	input.caller.department == "marketing"
	input.budget.marketing_month.spent >= 3800000000
	some name, model in models
	model.tier != "small"
}

removed contains name if { # trial_day
	trial
	some name, model in models
	micros(model) > input.budget.trial_day.headroom
}

removed contains name if { # the context window
	some name, model in models
	input.prompt.tokens_estimate + output_tokens(model) > model.context
}

model := [name | some name in candidates; not name in removed][0]

reasons contains "no_secrets" if count(found & {"aws_key", "api_key", "jwt"}) > 0

reasons contains "no_tools_outside" if {
	contractor
	tools > 0
}

reasons contains "one_choice" if choices > 4

reasons contains "no_injected_system" if {
	contractor
	some message in input.prompt.messages
	message.role == "system"
}

reasons contains "no_model" if not model

redact[detector] := "placeholder" if { # mask_personal
	models[model].zone == "external"
	some detector in personal
}

redact[detector] := "mask" if { # mask_network
	models[model].zone == "external"
	detector := "ip_address"
}

decision := {"outcome": "deny", "reasons": reasons} if {
	count(reasons) > 0
} else := {
	"outcome": "allow",
	"model": model,
	"redact": redact,
	"outputTokens": output_tokens(models[model]),
}
