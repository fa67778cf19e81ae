# Policy acme, owned by privacy@acme.example.
# Compiled by writ 0.1.0 from the source with SHA-256 75d8bce2ea19bb66c4dee73adeac7a1683a024b8550f585df9ed6cdc42c65669.
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
	data.writ.source == "75d8bce2ea19bb66c4dee73adeac7a1683a024b8550f585df9ed6cdc42c65669"
	input.event == "prompt"
}

decision := completion_decision if {
	data.writ.source == "75d8bce2ea19bb66c4dee73adeac7a1683a024b8550f585df9ed6cdc42c65669"
	input.event == "completion"
}

decision := retrieval_handbook_decision if {
	data.writ.source == "75d8bce2ea19bb66c4dee73adeac7a1683a024b8550f585df9ed6cdc42c65669"
	input.event == "retrieval"
	input.store == "handbook"
}

decision := chunk_handbook_decision if {
	data.writ.source == "75d8bce2ea19bb66c4dee73adeac7a1683a024b8550f585df9ed6cdc42c65669"
	input.event == "chunk"
	input.store == "handbook"
}

decision := ingest_handbook_decision if {
	data.writ.source == "75d8bce2ea19bb66c4dee73adeac7a1683a024b8550f585df9ed6cdc42c65669"
	input.event == "ingest"
	input.store == "handbook"
}

on_failure := "deny"

# ------------------------------------------------------------------------------------------------------------- facts
# Every fact by its path, and those whose failure denies whatever the policy says of failures.

facts := {
	"budget.marketing_month.headroom": fact_budget_marketing_month_headroom,
	"budget.marketing_month.spent": fact_budget_marketing_month_spent,
	"budget.trial_day.headroom": fact_budget_trial_day_headroom,
	"budget.trial_day.spent": fact_budget_trial_day_spent,
	"caller.clearance": fact_caller_clearance,
	"caller.department": fact_caller_department,
	"caller.groups": fact_caller_groups,
	"caller.id": fact_caller_id,
	"caller.region": fact_caller_region,
	"chunk.handbook.classification": fact_chunk_handbook_classification,
	"chunk.handbook.groups": fact_chunk_handbook_groups,
	"chunk.handbook.source": fact_chunk_handbook_source,
	"chunk.handbook.version": fact_chunk_handbook_version,
	"completion.finish_reason": fact_completion_finish_reason,
	"completion.tokens": fact_completion_tokens,
	"model.chosen": fact_model_chosen,
	"prompt.bytes": fact_prompt_bytes,
	"prompt.choices": fact_prompt_choices,
	"prompt.classification": fact_prompt_classification,
	"prompt.complexity": fact_prompt_complexity,
	"prompt.input_tokens_bound": fact_prompt_input_tokens_bound,
	"prompt.messages": fact_prompt_messages,
	"prompt.output_tokens": fact_prompt_output_tokens,
	"prompt.requested_model": fact_prompt_requested_model,
	"prompt.stream": fact_prompt_stream,
	"prompt.tokens_estimate": fact_prompt_tokens_estimate,
	"prompt.tools": fact_prompt_tools,
	"retrieval.limit": fact_retrieval_limit,
	"text.found": fact_text_found,
	"text.found_restored": fact_text_found_restored,
}

facts_failing_closed := {"budget.marketing_month.headroom", "budget.marketing_month.spent", "budget.trial_day.headroom", "budget.trial_day.spent", "caller.clearance", "caller.department", "caller.groups", "caller.id", "caller.region", "chunk.handbook.classification", "chunk.handbook.groups", "chunk.handbook.source", "chunk.handbook.version", "model.chosen", "prompt.bytes", "prompt.choices", "prompt.classification", "prompt.complexity", "prompt.input_tokens_bound", "prompt.messages", "prompt.output_tokens", "prompt.requested_model", "prompt.stream", "prompt.tokens_estimate", "prompt.tools", "retrieval.limit", "text.found", "text.found_restored"}

# budget.marketing_month.headroom: number of micros, level of budget marketing_month
fact_budget_marketing_month_headroom := number_fact(["budget", "marketing_month", "headroom"], 1, failed)

# budget.marketing_month.spent: number of micros, level of budget marketing_month
fact_budget_marketing_month_spent := number_fact(["budget", "marketing_month", "spent"], 1, failed)

# budget.trial_day.headroom: number of micros, level of budget trial_day
fact_budget_trial_day_headroom := number_fact(["budget", "trial_day", "headroom"], 1, failed)

# budget.trial_day.spent: number of micros, level of budget trial_day
fact_budget_trial_day_spent := number_fact(["budget", "trial_day", "spent"], 1, failed)

# caller.clearance: enum classification, claim clearance
fact_caller_clearance := enum_fact(["caller", "clearance"], "classification", known("public"))

# caller.department: enum department, claim dept
fact_caller_department := enum_fact(["caller", "department"], "department", failed)

# caller.groups: text set, claim groups
fact_caller_groups := text_set_fact(["caller", "groups"], known(set()))

# caller.id: text, claim sub
fact_caller_id := text_fact(["caller", "id"], failed)

# caller.region: enum region, claim region
fact_caller_region := enum_fact(["caller", "region"], "region", failed)

# chunk.handbook.classification: enum classification, metadata classification of store handbook
fact_chunk_handbook_classification := enum_fact(["chunk", "handbook", "classification"], "classification", known("restricted"))

# chunk.handbook.groups: text set, metadata allowed_groups of store handbook
fact_chunk_handbook_groups := text_set_fact(["chunk", "handbook", "groups"], failed)

# chunk.handbook.source: text, metadata source of store handbook
fact_chunk_handbook_source := text_fact(["chunk", "handbook", "source"], failed)

# chunk.handbook.version: number, metadata version of store handbook
fact_chunk_handbook_version := number_fact(["chunk", "handbook", "version"], 1, failed)

# completion.finish_reason: text
fact_completion_finish_reason := text_fact(["completion", "finish_reason"], failed)

# completion.tokens: number of tokens
fact_completion_tokens := number_fact(["completion", "tokens"], 1, failed)

# model.chosen: enum writ.model
fact_model_chosen := enum_fact(["model", "chosen"], "writ.model", failed)

# prompt.bytes: number of bytes
fact_prompt_bytes := number_fact(["prompt", "bytes"], 1, failed)

# prompt.choices: number of choices
fact_prompt_choices := number_fact(["prompt", "choices"], 1, known(1))

# prompt.classification: enum classification
fact_prompt_classification := enum_fact(["prompt", "classification"], "classification", failed)

# prompt.complexity: number of points
fact_prompt_complexity := number_fact(["prompt", "complexity"], 1, failed)

# prompt.input_tokens_bound: number of tokens
fact_prompt_input_tokens_bound := number_fact(["prompt", "input_tokens_bound"], 1, failed)

# prompt.messages: collection
fact_prompt_messages := failed if {
	raw(["prompt", "messages"]) == null
} else := known(elements) if {
	elements := elements_of_fact_prompt_messages(raw(["prompt", "messages"]))
} else := failed

elements_of_fact_prompt_messages(list) := elements if {
	is_array(list)
	count(list) <= 4096
	elements := [element_of_fact_prompt_messages(item) | some item in list; is_object(item)]
	count(elements) == count(list)
}

element_of_fact_prompt_messages(item) := {
	"role": member_in(item.role, "writ.role"),
	"found": members_in(item.found, "writ.detector"),
}

# prompt.output_tokens: number of tokens
fact_prompt_output_tokens := number_fact(["prompt", "output_tokens"], 1, unknown)

# prompt.requested_model: text
fact_prompt_requested_model := text_fact(["prompt", "requested_model"], failed)

# prompt.stream: bool
fact_prompt_stream := bool_fact(["prompt", "stream"], known(false))

# prompt.tokens_estimate: number of tokens
fact_prompt_tokens_estimate := number_fact(["prompt", "tokens_estimate"], 1, failed)

# prompt.tools: number of tools
fact_prompt_tools := number_fact(["prompt", "tools"], 1, known(0))

# retrieval.limit: number of chunks
fact_retrieval_limit := number_fact(["retrieval", "limit"], 1, unknown)

# text.found: enum set writ.detector
fact_text_found := enum_set_fact(["text", "found"], "writ.detector", failed)

# text.found_restored: enum set writ.detector
fact_text_found_restored := enum_set_fact(["text", "found_restored"], "writ.detector", failed)

# -------------------------------------------------------------------------------------------- prompt: classification

# classify 1
# prompts.writ:3:1
prompt_classifies contains ["classify 1", "confidential"] if {
	not touched({"text.found"})
	count(fact_text_found.value & {"iban", "project_code"}) > 0
}

# classify 2
# prompts.writ:4:1
prompt_classifies contains ["classify 2", "restricted"] if {
	not touched({"text.found"})
	count(fact_text_found.value & {"passport", "us_ssn"}) > 0
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

# short_answers
# prompts.writ:50:3
prompt_limits contains [model, "short_answers", 200] if {
	not touched({"caller.department"})
	some model in models
	fact_caller_department.value == "support"
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

prompt_route := "elsewhere" if {
	fact_prompt_requested_model.state == "known"
	not fact_prompt_requested_model.value in {"auto"}
}

# The model of the catalog that has the requested name.
prompt_requested := data.writ.catalog.by_wire_name[fact_prompt_requested_model.value]

# auto: Small questions go to the small model
# prompts.writ:62:1
# 1: gemma
prompt_prefers contains [0, 0, "gemma"] if {
	prompt_route == "auto"
	not touched({"prompt.complexity", "prompt.tokens_estimate"})
	fact_prompt_tokens_estimate.value <= 400
	fact_prompt_complexity.value < 400
}

# 2: frontier
prompt_prefers contains [1, 0, "frontier"] if {
	prompt_route == "auto"
}

# 3: every model by price
prompt_prefers contains [2, place, model] if {
	prompt_route == "auto"
	some place, model in data.writ.catalog.by_price
}

# elsewhere: Whoever names a model that they may not use gets the cheapest that they may
# prompts.writ:68:1
# 1: the requested model
prompt_prefers contains [0, 0, prompt_requested] if {
	prompt_route == "elsewhere"
}

# 2: every model by price
prompt_prefers contains [1, place, model] if {
	prompt_route == "elsewhere"
	some place, model in data.writ.catalog.by_price
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

# clearance: A model sees only what it is cleared for
# prompts.writ:30:3
prompt_removes contains ["frontier", 0, "clearance"] if {
	not touched({"text.found"})
	not prompt_rank <= ranks.classification.internal
}

prompt_removes contains ["gemma", 0, "clearance"] if {
	not touched({"text.found"})
	not prompt_rank <= ranks.classification.confidential
}

# contractors_small: Contractors use the small models
# prompts.writ:35:3
prompt_removes contains ["frontier", 0, "contractors_small"] if {
	not touched({"caller.groups"})
	"contractors" in fact_caller_groups.value
}

# hr_onprem: What HR asks stays on our own machines
# prompts.writ:40:3
prompt_removes contains ["frontier", 0, "hr_onprem"] if {
	not touched({"caller.department"})
	fact_caller_department.value == "hr"
}

# residency: European callers' prompts stay in Europe
# prompts.writ:25:3
prompt_removes contains ["frontier", 0, "residency"] if {
	not touched({"caller.region", "text.found"})
	fact_caller_region.value == "eu"
	prompt_rank > ranks.classification.internal
}

# trial_frontier: Accounts on trial try the frontier model, and nothing else
# spend.writ:17:3
prompt_removes contains ["gemma", 0, "trial_frontier"] if {
	not touched({"caller.groups"})
	"trial" in fact_caller_groups.value
}

# The most that the request can cost at a model, in micro-units.
prompt_cost_at := {model: micro_units(input_cost + output_cost) |
	some model, entry in data.writ.catalog.models
	input_cost := at_least_zero(fact_prompt_input_tokens_bound.value) * entry.input_price
	output_cost := (at_least_zero(fact_prompt_choices.value) * prompt_output_at[model]) * entry.output_price
}

# budget marketing_month: Marketing's model spend
# spend.writ:3:1
prompt_applies contains "marketing_month" if {
	not touched({"caller.department"})
	fact_caller_department.value == "marketing"
}

prompt_budgets contains "marketing_month" if {
	"marketing_month" in prompt_applies
	not touched({"budget.marketing_month.headroom", "prompt.choices", "prompt.input_tokens_bound"})
}

prompt_removes contains [model, 1, "budget marketing_month"] if {
	"marketing_month" in prompt_budgets
	some model in models
	prompt_cost_at[model] > fact_budget_marketing_month_headroom.value
}

# budget marketing_month at 95 percent
# spend.writ:6:3
prompt_removes contains ["frontier", 1, "budget marketing_month"] if {
	"marketing_month" in prompt_budgets
	fact_budget_marketing_month_spent.value * 100 >= 4000000000 * 95
	not touched({"budget.marketing_month.spent"})
}

# budget trial_day: Accounts on trial
# spend.writ:9:1
prompt_applies contains "trial_day" if {
	not touched({"caller.groups"})
	"trial" in fact_caller_groups.value
}

prompt_budgets contains "trial_day" if {
	"trial_day" in prompt_applies
	not touched({"budget.trial_day.headroom", "prompt.choices", "prompt.input_tokens_bound"})
}

prompt_removes contains [model, 1, "budget trial_day"] if {
	"trial_day" in prompt_budgets
	some model in models
	prompt_cost_at[model] > fact_budget_trial_day_headroom.value
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

# mask_network: Addresses of our machines stay with us
# prompts.writ:12:1
prompt_fires contains "mask_network" if {
	prompt_model in {"frontier"}
}

prompt_redacts contains ["ip_address", "mask", false, "mask_network"] if {
	"mask_network" in prompt_fires
}

# mask_personal: Personal data is replaced before it leaves our network
# cites GDPR Art. 32
# prompts.writ:6:1
prompt_fires contains "mask_personal" if {
	prompt_model in {"frontier"}
}

prompt_redacts contains [detector, "placeholder", false, "mask_personal"] if {
	"mask_personal" in prompt_fires
	some detector in {"date_of_birth", "email", "employee_id", "iban", "passport", "payment_card", "phone", "us_ssn"}
}

# no_injected_system: Only our own applications write system messages
# prompts.writ:57:1
prompt_fires contains "no_injected_system" if {
	not touched({"caller.groups", "prompt.messages"})
	"contractors" in fact_caller_groups.value
	if_prompt_no_injected_system_some
}

if_prompt_no_injected_system_some if {
	some each_prompt_messages_1 in fact_prompt_messages.value
	each_prompt_messages_1.role == "system"
}

prompt_denies contains ["no_injected_system", "Contractors may not send a system message"] if {
	"no_injected_system" in prompt_fires
}

# no_secrets: Keys and tokens are never sent to a model
# prompts.writ:17:1
prompt_fires contains "no_secrets" if {
	not touched({"text.found"})
	count(fact_text_found.value & {"api_key", "aws_key", "jwt"}) > 0
}

prompt_denies contains ["no_secrets", "The prompt contains a key or a token. Remove it and send the request again"] if {
	"no_secrets" in prompt_fires
}

# no_tools_outside: Contractors give a model no tools
# prompts.writ:42:1
prompt_fires contains "no_tools_outside" if {
	not touched({"caller.groups", "prompt.tools"})
	"contractors" in fact_caller_groups.value
	fact_prompt_tools.value > 0
}

prompt_denies contains ["no_tools_outside", "Contractors may not offer tools to a model"] if {
	"no_tools_outside" in prompt_fires
}

# one_choice: One answer a question
# prompts.writ:52:1
prompt_fires contains "one_choice" if {
	not touched({"prompt.choices"})
	fact_prompt_choices.value > 4
}

prompt_denies contains ["one_choice", "At most 4 choices may be asked for at once"] if {
	"one_choice" in prompt_fires
}

# -------------------------------------------------------------------------------------------------- prompt: decision

# Who reads which facts, and whether it always denies when one has failed.
prompt_readers := [
	["choice of model", {"prompt.output_tokens", "prompt.requested_model", "prompt.tokens_estimate"}, true],
	["classify 1", {"text.found"}, false],
	["classify 2", {"text.found"}, false],
	["short_answers", {"caller.department"}, true],
	["clearance", {"text.found"}, false],
	["contractors_small", {"caller.groups"}, false],
	["hr_onprem", {"caller.department"}, false],
	["residency", {"caller.region", "text.found"}, false],
	["trial_frontier", {"caller.groups"}, false],
	["budget marketing_month", {"caller.department"}, true],
	["budget trial_day", {"caller.groups"}, true],
	["no_injected_system", {"caller.groups", "prompt.messages"}, false],
	["no_secrets", {"text.found"}, false],
	["no_tools_outside", {"caller.groups", "prompt.tools"}, false],
	["one_choice", {"prompt.choices"}, false],
]

# Who reads facts in routes. Only the route that serves the request can deny it.
prompt_route_readers := {
	"auto": [
		["route auto", {"prompt.complexity", "prompt.tokens_estimate"}, false],
	],
}

prompt_serving_readers := object.get(prompt_route_readers, prompt_route, [])

# What a budget reads where it applies. The levels of others are not looked at.
prompt_level_readers := {
	"marketing_month": [
		["budget marketing_month", {"budget.marketing_month.headroom", "prompt.choices", "prompt.input_tokens_bound"}, true],
		["budget marketing_month", {"budget.marketing_month.spent"}, true],
	],
	"trial_day": [
		["budget trial_day", {"budget.trial_day.headroom", "prompt.choices", "prompt.input_tokens_bound"}, true],
	],
}

prompt_applying_readers := [reader |
	some budget in prompt_applies
	some reader in prompt_level_readers[budget]
]

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
	"tags": set(),
	"sets": set(),
	"holds": set(),
	"keeps": set(),
	"reasons": joined([failed_reasons(joined([prompt_readers, prompt_applying_readers, prompt_serving_readers])), prompt_model_reasons, rule_reasons(prompt_denies)]),
	"fired": prompt_fired,
	"failed": failed_among(joined([prompt_readers, prompt_applying_readers, joined(prompt_route_readers)])),
})

# -------------------------------------------------------------------------------------------------------- completion

# The highest of the base and every classification that fires. None where one of them cannot be read.
completion_rank := max({ranks.classification.internal})

default completion_classification := null

completion_classification := name if {
	some name, rank in ranks.classification
	rank == completion_rank
}

# leaked_bank_data: A model does not tell anybody's bank data
# answers.writ:3:1
completion_fires contains "leaked_bank_data"

completion_redacts contains [detector, "mask", false, "leaked_bank_data"] if {
	"leaked_bank_data" in completion_fires
	some detector in {"iban", "payment_card"}
}

# leaked_identity: A model does not tell anybody's identity numbers
# answers.writ:7:1
completion_fires contains "leaked_identity"

completion_redacts contains [detector, "mask", false, "leaked_identity"] if {
	"leaked_identity" in completion_fires
	some detector in {"date_of_birth", "employee_id", "passport", "us_ssn"}
}

# leaked_secret: An answer with a key in it ends there
# answers.writ:11:1
completion_fires contains "leaked_secret" if {
	not touched({"text.found"})
	count(fact_text_found.value & {"api_key", "aws_key"}) > 0
}

completion_denies contains ["leaked_secret", "The answer contained a key"] if {
	"leaked_secret" in completion_fires
}

# Who reads which facts, and whether it always denies when one has failed.
completion_readers := [
	["leaked_secret", {"text.found"}, false],
]

completion_decision := decided({
	"event": "completion",
	"model": null,
	"classification": completion_classification,
	"redacts": completion_redacts,
	"output_tokens": null,
	"reserve": [],
	"tags": set(),
	"sets": set(),
	"holds": set(),
	"keeps": set(),
	"reasons": joined([failed_reasons(completion_readers), rule_reasons(completion_denies)]),
	"fired": completion_fires,
	"failed": failed_among(completion_readers),
})

# ----------------------------------------------------------------------------------------- retrieval, store handbook

# Who reads which facts, and whether it always denies when one has failed.
retrieval_handbook_readers := []

retrieval_handbook_decision := decided({
	"event": "retrieval",
	"model": null,
	"classification": null,
	"redacts": set(),
	"output_tokens": null,
	"reserve": [],
	"tags": set(),
	"sets": set(),
	"holds": set(),
	"keeps": set(),
	"reasons": joined([failed_reasons(retrieval_handbook_readers)]),
	"fired": set(),
	"failed": failed_among(retrieval_handbook_readers),
})

# --------------------------------------------------------------------------------------------- chunk, store handbook

# current: Only the newest version of a file is found
# documents.writ:8:1
chunk_handbook_fires contains "current"

# need_to_know: A chunk is seen only by those who may read its file
# documents.writ:3:1
chunk_handbook_fires contains "need_to_know"

chunk_handbook_allows contains "need_to_know" if {
	"need_to_know" in chunk_handbook_fires
	not touched({"caller.groups", "chunk.handbook.groups"})
	count(fact_chunk_handbook_groups.value & fact_caller_groups.value) > 0
}

chunk_handbook_withholds contains "need_to_know" if {
	"need_to_know" in chunk_handbook_fires
	not touched({"caller.clearance", "chunk.handbook.classification"})
	not ranks.classification[fact_chunk_handbook_classification.value] <= ranks.classification[fact_caller_clearance.value]
}

# no_bank_data_found: Bank data in a document is masked for everybody
# documents.writ:12:1
chunk_handbook_fires contains "no_bank_data_found"

chunk_handbook_redacts contains [detector, "mask", false, "no_bank_data_found"] if {
	"no_bank_data_found" in chunk_handbook_fires
	some detector in {"iban", "payment_card"}
}

default chunk_handbook_passes := false

chunk_handbook_passes if {
	count(chunk_handbook_allows) > 0
}

# Who reads which facts, and whether it always denies when one has failed.
chunk_handbook_readers := [
	["current", {"chunk.handbook.source", "chunk.handbook.version"}, false],
	["need_to_know", {"caller.groups", "chunk.handbook.groups"}, false],
	["need_to_know", {"caller.clearance", "chunk.handbook.classification"}, false],
]

chunk_handbook_decision := decided({
	"event": "chunk",
	"model": null,
	"classification": null,
	"redacts": chunk_handbook_redacts,
	"output_tokens": null,
	"reserve": [],
	"tags": set(),
	"sets": set(),
	"holds": set(),
	"keeps": set(),
	"reasons": joined([failed_reasons(chunk_handbook_readers), withheld_reasons(chunk_handbook_withholds), default_reasons(chunk_handbook_passes)]),
	"fired": chunk_handbook_fires,
	"failed": failed_among(chunk_handbook_readers),
})

# -------------------------------------------------------------------------------------------- ingest, store handbook

# editors: Editors put documents into the store
# documents.writ:16:1
ingest_handbook_fires contains "editors" if {
	not touched({"caller.groups"})
	"editors" in fact_caller_groups.value
}

ingest_handbook_allows contains "editors" if {
	"editors" in ingest_handbook_fires
}

# no_cards_stored: Card numbers do not belong into documents
# documents.writ:21:1
ingest_handbook_fires contains "no_cards_stored" if {
	not touched({"text.found"})
	"payment_card" in fact_text_found.value
}

ingest_handbook_denies contains ["no_cards_stored", "The document contains a payment card number"] if {
	"no_cards_stored" in ingest_handbook_fires
}

default ingest_handbook_passes := false

ingest_handbook_passes if {
	count(ingest_handbook_allows) > 0
}

# Who reads which facts, and whether it always denies when one has failed.
ingest_handbook_readers := [
	["editors", {"caller.groups"}, false],
	["no_cards_stored", {"text.found"}, false],
]

ingest_handbook_decision := decided({
	"event": "ingest",
	"model": null,
	"classification": null,
	"redacts": set(),
	"output_tokens": null,
	"reserve": [],
	"tags": set(),
	"sets": set(),
	"holds": set(),
	"keeps": set(),
	"reasons": joined([failed_reasons(ingest_handbook_readers), rule_reasons(ingest_handbook_denies), default_reasons(ingest_handbook_passes)]),
	"fired": ingest_handbook_fires,
	"failed": failed_among(ingest_handbook_readers),
})
