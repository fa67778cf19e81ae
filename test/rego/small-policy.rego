# Policy test, owned by owner@example.org.
# Compiled by writ 0 from the source with SHA-256 0000000000000000000000000000000000000000000000000000000000000000.
# Each rule of the policy stands below its name, its title, what it cites, and where its source is.
package writ

# ---------------------------------------------------------------------------------------------------------- decision
# What cannot be decided is denied: an unknown event, an unknown store, data that is missing or of another policy.

# METADATA
# title: The decision on one event
# entrypoint: true
default decision := {
	"event": null,
	"outcome": "deny",
	"model": null,
	"classification": null,
	"redact": [],
	"outputTokens": null,
	"reserve": [],
	"tags": [],
	"set": [],
	"holds": [],
	"keeps": [],
	"reasons": [{"kind": "input"}],
	"fired": [],
	"failed": [],
}

decision := prompt_decision if {
	data.writ.source == "0000000000000000000000000000000000000000000000000000000000000000"
	input.event == "prompt"
}

on_failure := "deny"

# ------------------------------------------------------------------------------------------------------------- facts
# Every fact by its path, and those whose failure denies whatever the policy says of failures.

facts := {
	"caller.clearance": fact_caller_clearance,
	"caller.grade": fact_caller_grade,
	"caller.groups": fact_caller_groups,
	"caller.id": fact_caller_id,
	"caller.region": fact_caller_region,
	"caller.verified": fact_caller_verified,
	"text.found": fact_text_found,
	"prompt.requested_model": fact_prompt_requested_model,
	"prompt.input_tokens_bound": fact_prompt_input_tokens_bound,
	"prompt.tokens_estimate": fact_prompt_tokens_estimate,
	"prompt.output_tokens": fact_prompt_output_tokens,
	"prompt.choices": fact_prompt_choices,
	"prompt.complexity": fact_prompt_complexity,
	"prompt.messages": fact_prompt_messages,
	"model.chosen": fact_model_chosen,
	"budget.team.headroom": fact_budget_team_headroom,
	"budget.team.spent": fact_budget_team_spent,
	"chunk.docs.secret": fact_chunk_docs_secret,
	"chunk.docs.version": fact_chunk_docs_version,
}

facts_failing_closed := {"budget.team.headroom", "budget.team.spent", "caller.clearance", "caller.grade", "caller.groups", "caller.id", "caller.region", "caller.verified", "chunk.docs.secret", "chunk.docs.version", "prompt.choices", "prompt.input_tokens_bound", "prompt.output_tokens", "prompt.requested_model", "prompt.tokens_estimate"}

# caller.clearance: enum classification, claim clearance
fact_caller_clearance := enum_fact(["caller", "clearance"], "classification", known("public"))

# caller.grade: number, claim grade
fact_caller_grade := number_fact(["caller", "grade"], 100, unknown)

# caller.groups: text set, claim groups
fact_caller_groups := text_set_fact(["caller", "groups"], known(set()))

# caller.id: text, claim id
fact_caller_id := text_fact(["caller", "id"], failed)

# caller.region: enum region, claim region
fact_caller_region := enum_fact(["caller", "region"], "region", unknown)

# caller.verified: bool, claim verified
fact_caller_verified := bool_fact(["caller", "verified"], unknown)

# text.found: enum set detector
fact_text_found := enum_set_fact(["text", "found"], "detector", failed)

# prompt.requested_model: text
fact_prompt_requested_model := text_fact(["prompt", "requested_model"], failed)

# prompt.input_tokens_bound: number
fact_prompt_input_tokens_bound := number_fact(["prompt", "input_tokens_bound"], 1, failed)

# prompt.tokens_estimate: number
fact_prompt_tokens_estimate := number_fact(["prompt", "tokens_estimate"], 1, failed)

# prompt.output_tokens: number
fact_prompt_output_tokens := number_fact(["prompt", "output_tokens"], 1, unknown)

# prompt.choices: number
fact_prompt_choices := number_fact(["prompt", "choices"], 1, known(1))

# prompt.complexity: number
fact_prompt_complexity := number_fact(["prompt", "complexity"], 1, failed)

# prompt.messages: collection
fact_prompt_messages := unknown if {
	raw(["prompt", "messages"]) == null
} else := known(elements) if {
	elements := elements_of_fact_prompt_messages(raw(["prompt", "messages"]))
} else := failed

elements_of_fact_prompt_messages(list) := elements if {
	is_array(list)
	count(list) <= 3
	elements := [element_of_fact_prompt_messages(item) | some item in list; is_object(item)]
	count(elements) == count(list)
}

element_of_fact_prompt_messages(item) := {
	"tokens": scaled(item.tokens, 1),
	"labels": texts_in(item.labels),
}

# model.chosen: enum writ.model
fact_model_chosen := enum_fact(["model", "chosen"], "writ.model", failed)

# budget.team.headroom: number, level of budget team
fact_budget_team_headroom := number_fact(["budget", "team", "headroom"], 1, failed)

# budget.team.spent: number, level of budget team
fact_budget_team_spent := number_fact(["budget", "team", "spent"], 1, failed)

# chunk.docs.secret: bool, metadata secret of store docs
fact_chunk_docs_secret := bool_fact(["chunk", "docs", "secret"], failed)

# chunk.docs.version: number, metadata version of store docs
fact_chunk_docs_version := number_fact(["chunk", "docs", "version"], 1, failed)

# -------------------------------------------------------------------------------------------- prompt: classification

# classify as restricted
# test.writ, characters 0 to 1
prompt_classifies contains ["classify as restricted", "restricted"] if {
	not touched({"text.found"})
	"iban" in fact_text_found.value
}

# The highest of the base and every classification that fires. None where one of them cannot be read.
prompt_rank := max({ranks.classification.internal} | {ranks.classification[raised] | some [_, raised] in prompt_classifies}) if {
	not touched({"text.found"})
}

default prompt_classification := null

prompt_classification := name if {
	some name, rank in ranks.classification
	rank == prompt_rank
}

# --------------------------------------------------------------------------------------------- prompt: output tokens

# short
# test.writ, characters 0 to 1
prompt_limits contains [model, "short", 100] if {
	not touched({"caller.verified"})
	some model in models
	fact_caller_verified.value == true
}

# What the client asks for, else what the model may say; lowered by every limit that fires.
prompt_asked(_) := fact_prompt_output_tokens.value if {
	fact_prompt_output_tokens.state == "known"
}

prompt_asked(model) := model.max_output if {
	fact_prompt_output_tokens.state != "known"
}

prompt_output_at := {model: tokens |
	some model, entry in data.writ.catalog.models
	tokens := at_least_zero(min({prompt_asked(entry)} | {limit[2] | some limit in prompt_limits; limit[0] == model}))
}

# ------------------------------------------------------------------------------------------------ prompt: candidates

# The route that serves the requested name.
default prompt_route := null

prompt_route := "auto" if {
	fact_prompt_requested_model.value == "auto"
}

prompt_route := "other" if {
	fact_prompt_requested_model.state == "known"
	not fact_prompt_requested_model.value in {"auto"}
}

# The model of the catalog that has the requested name.
prompt_requested := data.writ.catalog.by_wire_name[fact_prompt_requested_model.value]

# auto
# test.writ, characters 0 to 1
# 1: cheap
prompt_prefers contains [0, 0, "cheap"] if {
	prompt_route == "auto"
	not touched({"prompt.complexity"})
	fact_prompt_complexity.value >= 500
}

# 2: every model by price
prompt_prefers contains [1, place, model] if {
	prompt_route == "auto"
	some place, model in data.writ.catalog.by_price
}

# other
# test.writ, characters 0 to 1
# 1: the requested model
prompt_prefers contains [0, 0, prompt_requested] if {
	prompt_route == "other"
}

# Without a route: the requested model itself.
prompt_prefers contains [0, 0, prompt_requested] if {
	prompt_route == null
}

# Best first, each where it is first named. None where what the choice itself reads has failed.
prompt_candidates := [] if {
	touched({"prompt.output_tokens", "prompt.requested_model", "prompt.tokens_estimate"})
} else := [model |
	some [preference, place, model] in sort(prompt_prefers)
	not prompt_named_before(preference, place, model)
]

prompt_named_before(preference, place, model) if {
	some earlier in prompt_prefers
	earlier[2] == model
	[earlier[0], earlier[1]] < [preference, place]
}

# ----------------------------------------------------------------------------------------- prompt: what removes them

# residency: European callers stay in Europe
# test.writ, characters 0 to 1
prompt_removes contains ["cheap", 0, "residency"] if {
	not touched({"caller.region"})
	not if_prompt_residency_holds
}

prompt_removes contains ["dear", 0, "residency"] if {
	not touched({"caller.region"})
}

if_prompt_residency_holds if {
	fact_caller_region.value == "eu"
}

# The most that the request can cost at a model, in micro-units.
prompt_cost_at := {model: micro_units(input_cost + output_cost) |
	some model, entry in data.writ.catalog.models
	input_cost := at_least_zero(fact_prompt_input_tokens_bound.value) * entry.input_price
	output_cost := (at_least_zero(fact_prompt_choices.value) * prompt_output_at[model]) * entry.output_price
}

# budget team
# test.writ, characters 0 to 1
prompt_applies contains "team" if {
	not touched({"caller.verified"})
	fact_caller_verified.value == true
}

prompt_budgets contains "team" if {
	"team" in prompt_applies
	not touched({"budget.team.headroom", "prompt.choices", "prompt.input_tokens_bound"})
}

prompt_removes contains [model, 1, "budget team"] if {
	"team" in prompt_budgets
	some model in models
	prompt_cost_at[model] > fact_budget_team_headroom.value
}

# budget team at 80 percent
# test.writ, characters 7 to 9
prompt_removes contains [model, 1, "budget team"] if {
	"team" in prompt_budgets
	fact_budget_team_spent.value * 100 >= 1000 * 80
	not touched({"budget.team.spent"})
	some model in {"cheap", "dear"}
}

# The prompt and its reply must fit into the model's context window.
prompt_removes contains [model, 2, "context window"] if {
	some model, entry in data.writ.catalog.models
	at_least_zero(fact_prompt_tokens_estimate.value) + prompt_output_at[model] > entry.context
}

# ---------------------------------------------------------------------------------------------------- prompt: choice

prompt_removed := {removal[0] | some removal in prompt_removes}

prompt_eligible := [model | some model in prompt_candidates; not model in prompt_removed]

default prompt_model := null

prompt_model := prompt_eligible[0]

# Why no model is left.
prompt_model_reasons := [] if {
	prompt_model != null
} else := [] if {
	touched({"prompt.output_tokens", "prompt.requested_model", "prompt.tokens_estimate"})
} else := [{"kind": "unknown_model"}] if {
	count(prompt_candidates) == 0
} else := [{"kind": "removed", "model": model, "by": prompt_removers(model)} |
	some model in prompt_candidates
]

# Rules, then budgets, then the context window.
prompt_removers(model) := [name |
	some [_, name] in sort({[removal[1], removal[2]] | some removal in prompt_removes; removal[0] == model})
]

# ----------------------------------------------------------------------------------------------------- prompt: rules

# masked: Personal data is masked
# cites GDPR Art. 32
# test.writ, characters 0 to 1
prompt_fires contains "masked" if {
	not touched({"caller.verified", "prompt.complexity"})
	prompt_model != null
	fact_prompt_complexity.value >= 500
}

prompt_fires contains "masked" if {
	not touched({"caller.verified", "prompt.complexity"})
	prompt_model != null
	fact_caller_verified.value == true
}

prompt_redacts contains [detector, "mask", false, "masked"] if {
	"masked" in prompt_fires
	some detector in {"email", "iban"}
}

prompt_tags contains ["team", "a"] if {
	"masked" in prompt_fires
}

# open
# test.writ, characters 0 to 1
prompt_fires contains "open" if {
	prompt_model != null
}

prompt_allows contains "open" if {
	"open" in prompt_fires
}

# held
# denies: hold for review is not enforced
# test.writ, characters 0 to 1
prompt_fires contains "held" if {
	not touched({"caller.verified"})
	fact_caller_verified.value == true
}

prompt_denies contains ["held", "Not while it is held"] if {
	"held" in prompt_fires
}

# -------------------------------------------------------------------------------------------------- prompt: decision

# Who reads which facts, and whether it always denies when one has failed.
prompt_readers := [
	["choice of model", {"prompt.output_tokens", "prompt.requested_model", "prompt.tokens_estimate"}, true],
	["classify as restricted", {"text.found"}, false],
	["short", {"caller.verified"}, true],
	["residency", {"caller.region"}, false],
	["budget team", {"caller.verified"}, true],
	["masked", {"caller.verified", "prompt.complexity"}, false],
	["held", {"caller.verified"}, false],
]

# Who reads facts in routes. Only the route that serves the request can deny it.
prompt_route_readers := {
	"auto": [
		["route auto", {"prompt.complexity"}, false],
	],
}

prompt_serving_readers := object.get(prompt_route_readers, prompt_route, [])

# What a budget reads where it applies. The levels of others are not looked at.
prompt_level_readers := {
	"team": [
		["budget team", {"budget.team.headroom", "prompt.choices", "prompt.input_tokens_bound"}, true],
		["budget team", {"budget.team.spent"}, true],
	],
}

prompt_applying_readers := [reader |
	some budget in prompt_applies
	some reader in prompt_level_readers[budget]
]

# With no model left it is not asked whether something allows.
default prompt_passes := false

prompt_passes if {
	prompt_model == null
}

prompt_passes if {
	count(prompt_allows) > 0
}

prompt_reserve := [{"budget": budget, "amount": prompt_cost_at[prompt_model]} |
	some budget in sort(prompt_budgets)
]

# Every rule whose condition held, those included that only choose.
prompt_fired := union({
	prompt_fires,
	{each[0] | some each in prompt_classifies},
	{each[1] | some each in prompt_limits; each[0] == prompt_model},
	{each[2] | some each in prompt_removes; each[1] == 0; each[0] in prompt_candidates},
})

default prompt_output := null

prompt_output := prompt_output_at[prompt_model]

prompt_decision := decided({
	"event": "prompt",
	"model": prompt_model,
	"classification": prompt_classification,
	"redacts": prompt_redacts,
	"output_tokens": prompt_output,
	"reserve": prompt_reserve,
	"tags": prompt_tags,
	"sets": set(),
	"holds": set(),
	"keeps": set(),
	"reasons": joined([failed_reasons(joined([prompt_readers, prompt_applying_readers, prompt_serving_readers])), prompt_model_reasons, rule_reasons(prompt_denies), default_reasons(prompt_passes)]),
	"fired": prompt_fired,
	"failed": failed_among(joined([prompt_readers, prompt_applying_readers, joined(prompt_route_readers)])),
})
