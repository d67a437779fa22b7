"""Pushes with Python's prometheus_client and compares what the server then shows, step by step.

Run by `cargo xtask clients push`; argument: the server's address.
"""

import math
import sys
import urllib.request

from prometheus_client import (CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary,
                               delete_from_gateway, push_to_gateway, pushadd_to_gateway)
from prometheus_client.parser import text_string_to_metric_families

server = sys.argv[1]


OURS = ["up", "push_time_seconds", "push_failure_time_seconds"]


def shown(value):
    """Exact, save for the bits of a NaN."""
    return "NaN" if math.isnan(value) else float(value).hex()


def expected(registry, group):
    rows = {}
    for metric in registry.collect():
        for sample in metric.samples:
            labels = {**sample.labels, **group}
            labels = {name: value for name, value in labels.items() if value != ""}
            rows[(sample.name, tuple(sorted(labels.items())))] = shown(sample.value)
    return rows


def step(what, group, wanted):
    group = {name: value for name, value in group.items() if value != ""}.items()
    page = urllib.request.urlopen(f"{server}/metrics").read().decode()
    found, ours = {}, []
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if not group <= sample.labels.items():
                continue
            if sample.name in OURS:
                ours.append(sample.name)
            else:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                found[key] = shown(sample.value)
    for key in sorted(wanted.keys() | found.keys()):
        if wanted.get(key) != found.get(key):
            sys.exit(f"{what}: {key} is {found.get(key)} and should be {wanted.get(key)}")
    if sorted(ours) != (sorted(OURS) if wanted else []):
        sys.exit(f"{what}: of the group's own series there are {ours}")
    print(f"  {what}: {len(wanted)} series, each with its value")


registry = CollectorRegistry()
rows_total = Counter("rows", "Rows\nread \\ written.", ["path"], registry=registry)
rows_total.labels('/var/"tmp"\\x\n').inc(12.5)
rows_total.labels("größe").inc(9007199254740993)
gauge = Gauge("size_bytes", "Size.", ["kind", "job"], registry=registry)
for kind, value in [("tenth", 0.1), ("small", 5e-324), ("zero", -0.0), ("nan", math.nan),
                    ("inf", math.inf), ("less", -math.inf), ("most", sys.float_info.max)]:
    gauge.labels(kind, "mine").set(value)
histogram = Histogram("took_seconds", "Took.", registry=registry)
for value in [0.001, 0.3, 7, 100]:
    histogram.observe(value)
summary = Summary("sent_bytes", "Sent.", registry=registry)
summary.observe(3.5)
Info("build", "Build.", registry=registry).info({"version": "1.2"})
Enum("state", "State.", states=["off", "on"], registry=registry).state("on")

group = {"instance": "a/b", "empty": "", "zone": "größe 1"}
push_to_gateway(server, job="backup/nightly", registry=registry, grouping_key=group)
group = {"job": "backup/nightly", **group}
step("PUT", group, expected(registry, group))

more = CollectorRegistry()
Gauge("late", "Late.", registry=more).set(1)
gauge = Gauge("size_bytes", "Size.", registry=more).set(2)
pushadd_to_gateway(server, job="backup/nightly", registry=more,
                   grouping_key={"instance": "a/b", "empty": "", "zone": "größe 1"})
kept = {key: value for key, value in expected(registry, group).items() if key[0] != "size_bytes"}
step("POST", group, {**kept, **expected(more, group)})

push_to_gateway(server, job="backup/nightly", registry=more,
                grouping_key={"instance": "a/b", "empty": "", "zone": "größe 1"})
step("PUT again", group, expected(more, group))

delete_from_gateway(server, job="backup/nightly",
                    grouping_key={"instance": "a/b", "empty": "", "zone": "größe 1"})
step("DELETE", group, {})
