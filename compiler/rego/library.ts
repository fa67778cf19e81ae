/**
 * The Rego that every policy shares, beside its own module and in the same package. It knows no rule. `opa fmt` and
 * `opa check --strict` find nothing to say about it.
 */

export const LIBRARY = `# What the Rego of every policy shares: how facts are read, how failure counts, how a decision is put together. It knows
# no rule: those stand in the policy's own module.
package writ

# ------------------------------------------------------------------------------------------------------------ facts
# A fact is {"state": "known", "value": ...}, {"state": "unknown"} or {"state": "failed"}. A comparison with a value
# that is not there is undefined, which counts as false.

failed := {"state": "failed"}

unknown := {"state": "unknown"}

known(value) := {"state": "known", "value": value}

integer_max := 9007199254740991

set_members_max := 256

# The value at a path of the input: null where it is absent; where the path runs through something that is no object,
# an empty object, which no fact takes.
raw(path) := {} if {
	some length, _ in path
	length > 0
	parent := object.get(input, array.slice(path, 0, length), null)
	parent != null
	not is_object(parent)
} else := object.get(input, path, null)

bool_fact(path, absent) := absent if {
	raw(path) == null
} else := known(raw(path)) if {
	is_boolean(raw(path))
} else := failed

# \`factor\` is 10 to the power of the fact's scale. The value is the number times the factor, an integer.
number_fact(path, factor, absent) := absent if {
	raw(path) == null
} else := known(integer) if {
	integer := scaled(raw(path), factor)
} else := failed

text_fact(path, absent) := absent if {
	raw(path) == null
} else := known(raw(path)) if {
	is_string(raw(path))
} else := failed

date_fact(path, absent) := absent if {
	raw(path) == null
} else := known(day) if {
	day := day_in(raw(path))
} else := failed

enum_fact(path, enum, absent) := absent if {
	raw(path) == null
} else := known(raw(path)) if {
	is_member(raw(path), enum)
} else := failed

text_set_fact(path, absent) := absent if {
	raw(path) == null
} else := known(members) if {
	members := texts_in(raw(path))
} else := failed

enum_set_fact(path, enum, absent) := absent if {
	raw(path) == null
} else := known(members) if {
	members := members_in(raw(path), enum)
} else := failed

# What follows is undefined where the value is not of the type.

scaled(number, factor) := integer if {
	is_number(number)
	integer := round(number * factor)
	integer / factor == number
	abs(integer) <= integer_max
}

is_member(value, enum) if {
	is_string(value)
	value in object.keys(ranks[enum])
}

texts_in(list) := {member | some member in list} if {
	is_array(list)
	count(list) <= set_members_max
	every member in list {
		is_string(member)
	}
}

members_in(list, enum) := {member | some member in list} if {
	is_array(list)
	count(list) <= set_members_max
	every member in list {
		is_member(member, enum)
	}
}

bool_in(value) := value if is_boolean(value)

text_in(value) := value if is_string(value)

without_nulls(object) := {key: value | some key, value in object; value != null}

# The days since 1970-01-01 of a date YYYY-MM-DD. A year is counted from March, so that its leap day is its last.
day_in(value) := day if {
	is_string(value)
	regex.match(\`^[0-9]{4}-[0-9]{2}-[0-9]{2}$\`, value)
	year := digits(value, 0, 4) - 10000
	month := digits(value, 5, 2) - 100
	day_of_month := digits(value, 8, 2) - 100
	day_of_month >= 1
	day_of_month <= days_of_month(year, month)

	# No year is negative: four hundred years more are as many days each time.
	years := (year + 400) - sum([1 | month <= 2])
	leap_days := (floor(years / 4) - floor(years / 100)) + floor(years / 400)
	days := floor(((153 * ((month + 9) % 12)) + 2) / 5) + day_of_month
	day := (((365 * years) + leap_days) + days) - 865566
}

# The number of some digits, with a 1 before them: a leading zero is no number in JSON.
digits(text, start, length) := to_number(concat("", ["1", substring(text, start, length)]))

days_of_month(year, month) := 29 if {
	month == 2
	year % 4 == 0
	leaps(year)
} else := [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]

leaps(year) if year % 100 != 0

leaps(year) if year % 400 == 0

member_in(value, enum) := value if is_member(value, enum)

# Members of every enum with their ranks.
ranks := data.writ.enums

# ------------------------------------------------------------------------------------------------------------- hours

# Whether a time, in milliseconds, falls into spans of the week. 1970 began on a Thursday, 4320 minutes after Monday.
# OPA's floor of what lies between -1 and 0 is 0, so that minutes are counted without it.
in_hours(hours, time) if {
	minutes := (time - (((time % 60000) + 60000) % 60000)) / 60000
	local := (minutes + offset_at(data.writ.zones[hours.zone].offsets, time)) + 4320
	minute := ((local % 10080) + 10080) % 10080
	some span in hours.spans
	span.start <= minute
	minute < span.end
}

# What clocks show more than UTC, in minutes: by the last change that is not after the time.
offset_at(offsets, time) := offsets[passed - 1].minutes if {
	passed := count([1 | some each in offsets; each.from <= time])
	passed > 0
} else := offsets[0].minutes

# ---------------------------------------------------------------------------------------------------------- failure
# A reader is [name, the facts that it reads, whether it always denies when one of them has failed].

failed_facts := {path | some path, fact in facts; fact.state == "failed"}

touched(reads) if count(reads & failed_facts) > 0

denies([_, reads, always]) if {
	touched(reads)
	always
}

denies([_, reads, _]) if {
	touched(reads)
	on_failure == "deny"
}

denies([_, reads, _]) if count((reads & failed_facts) & facts_failing_closed) > 0

failed_reasons(readers) := [{"kind": "failed", "rule": name, "facts": sort(failed_of(name, readers))} |
	some name in sort({reader[0] | some reader in readers; denies(reader)})
]

failed_of(name, readers) := {path |
	some reader in readers
	reader[0] == name
	denies(reader)
	some path in (reader[1] & failed_facts)
}

failed_among(readers) := sort({path | some reader in readers; some path in (reader[1] & failed_facts)})

# --------------------------------------------------------------------------------------------------------- decision

# The decision: denied if there is any reason to, else held where a rule asks for it, else allowed; with what the rules
# that fired ask for.
decided(parts) := {
	"event": parts.event,
	"outcome": outcome(parts.reasons, parts.holds),
	"model": parts.model,
	"classification": parts.classification,
	"redact": [redaction | count(parts.reasons) == 0; some redaction in redactions(parts.redacts)],
	"outputTokens": if_allowed(parts.reasons, parts.output_tokens),
	"reserve": [amount | count(parts.reasons) == 0; some amount in parts.reserve],
	"tags": [{"name": name, "value": value} | count(parts.reasons) == 0; some [name, value] in sort(parts.tags)],
	"set": [{"field": field, "value": value} | count(parts.reasons) == 0; some [field, value] in sort(parts.sets)],
	"holds": [{"rule": rule, "reviewers": reviewers, "approvals": approvals, "milliseconds": milliseconds} |
		count(parts.reasons) == 0
		some [rule, reviewers, approvals, milliseconds] in sort(parts.holds)
	],
	"keeps": [{"rule": rule, "reviewers": reviewers, "milliseconds": milliseconds} |
		some [rule, reviewers, milliseconds] in sort(parts.keeps)
	],
	"reasons": parts.reasons,
	"fired": sort(parts.fired),
	"failed": parts.failed,
}

outcome(reasons, holds) := "deny" if {
	count(reasons) > 0
} else := "hold" if {
	count(holds) > 0
} else := "allow"

if_allowed(reasons, value) := value if {
	count(reasons) == 0
} else := null

# What rules asked for, each [detector, mode, whether restored values too, rule]: for each detector the strongest mode.
redactions(asked) := [redaction_of({each | some each in asked; each[0] == detector}) |
	some detector in sort({each[0] | some each in asked})
]

redaction_of(asked) := {
	"detector": min({each[0] | some each in asked}),
	"as": strongest({each[1] | some each in asked}),
	"includingRestored": true in {each[2] | some each in asked},
	"rules": sort({each[3] | some each in asked}),
}

# Weakest first.
strongest(modes) := data.writ.redaction_modes[max({at | some at, mode in data.writ.redaction_modes; mode in modes})]

# Denials are [rule, message].
rule_reasons(denials) := [{"kind": "rule", "rule": rule, "message": message} | some [rule, message] in sort(denials)]

withheld_reasons(rules) := [{"kind": "withheld", "rule": rule} | some rule in sort(rules)]

default_reasons(passes) := [] if {
	passes
} else := [{"kind": "default"}]

joined(lists) := [item | some list in lists; some item in list]

# ------------------------------------------------------------------------------------------------------------ models

models := object.keys(data.writ.catalog.models)

# Micro-units for a sum of tokens times prices in micro-units per million tokens, rounded up. A sum above 2^63-1 is more
# than any headroom.
micro_units(sum) := 9223372036854775807 if {
	sum > 9223372036854775807
} else := ((sum + 999999) - ((sum + 999999) % 1000000)) / 1000000

at_least_zero(number) := max([0, number])
`;
