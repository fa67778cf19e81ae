"""RE2 and Hyperscan for the benchmark: scanner.py ENGINE PATTERNS.json. Questions and answers are lines of JSON."""
import json
import sys
import time


def hyperscan_pass(patterns):
    import hyperscan

    # With starts it refuses the 63 characters that may stand before an address's `@`: without a bound it takes them.
    patterns = [pattern.replace("{0,63}", "*") for pattern in patterns]
    database = hyperscan.Database()
    flags = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_DOTALL
    database.compile(
        expressions=[pattern.encode() for pattern in patterns],
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=[flags] * len(patterns),
    )
    count = 0

    def on_match(*_):
        nonlocal count
        count += 1

    def one_pass(text):
        nonlocal count
        count = 0
        database.scan(text, match_event_handler=on_match)
        return count

    return one_pass


def re2_options():
    import re2

    options = re2.Options()
    options.max_mem = 256 << 20
    options.log_errors = False
    return options


def re2_set_pass(patterns):
    import re2

    wanted = re2.Set.SearchSet(re2_options())
    for pattern in patterns:
        wanted.Add(pattern)
    wanted.Compile()
    return lambda text: len(wanted.Match(text) or ())


def re2_pass(patterns):
    import re2

    compiled = [re2.compile(pattern, re2_options()) for pattern in patterns]
    return lambda text: sum(1 for pattern in compiled for _ in pattern.finditer(text))


ENGINES = {"hyperscan": hyperscan_pass, "re2-set": re2_set_pass, "re2": re2_pass}


def measure(one_pass, text, seconds):
    hits = one_pass(text)
    passes = 0
    start = now = time.perf_counter()
    while now - start < seconds:
        one_pass(text)
        passes += 1
        now = time.perf_counter()
    return {"megabytesPerSecond": len(text) * passes / (now - start) / 1e6, "hits": hits}


def main():
    engine, patterns = sys.argv[1:3]
    with open(patterns, encoding="utf-8") as file:
        one_pass = ENGINES[engine](json.load(file))
    print("{}", flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        with open(question["file"], "rb") as file:
            text = file.read()
        print(json.dumps(measure(one_pass, text, question["seconds"])), flush=True)


main()
