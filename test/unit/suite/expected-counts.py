#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Counts that the kernel's own KUnit wrapper reads from each log of its test data.

usage: expected-counts.py TREE [--counts]

Imports TREE/tools/testing/kunit/kunit_parser.py, runs it over every *.log in test_data and prints one JSON
object: file name -> {status, passed, failed, crashed, skipped, errors, total, tests}. `tests` holds the names,
statuses and counts of the tree, so that more than the sums is compared; --counts prints the sums alone, which is what expected-counts.json holds. The logs stay in the
kernel's tree.
"""
import json
import os
import sys


def tree(test, names):
    return {
        "name": test.name,
        "status": names[test.status],
        "counts": counts(test),
        "tests": [tree(t, names) for t in test.subtests],
    }


def counts(test):
    c = test.counts
    return {
        "passed": c.passed,
        "failed": c.failed,
        "crashed": c.crashed,
        "skipped": c.skipped,
        "errors": c.errors,
        "total": c.total(),
    }


def main():
    wrapper = os.path.join(os.path.abspath(sys.argv[1]), "tools", "testing", "kunit")
    sys.path.insert(0, wrapper)
    # The kernel's tree stays as it is: no __pycache__ in it.
    sys.dont_write_bytecode = True
    import kunit_parser
    import kunit_printer

    names = {
        kunit_parser.TestStatus.SUCCESS: "pass",
        kunit_parser.TestStatus.FAILURE: "fail",
        kunit_parser.TestStatus.SKIPPED: "skip",
        kunit_parser.TestStatus.TEST_CRASHED: "crashed",
        kunit_parser.TestStatus.NO_TESTS: "no-tests",
        kunit_parser.TestStatus.FAILURE_TO_PARSE_TESTS: "no-ktap",
    }
    printer = kunit_printer.Printer(print=False)
    out = {}
    data = os.path.join(wrapper, "test_data")
    for file in sorted(os.listdir(data)):
        if not file.endswith(".log"):
            continue
        with open(os.path.join(data, file), encoding="utf-8", errors="replace") as log:
            out[file] = tree(kunit_parser.parse_run_tests(log.readlines(), printer), names)
    if "--counts" in sys.argv[2:]:
        out = {file: {"status": t["status"], **t["counts"]} for file, t in out.items()}
    json.dump(out, sys.stdout, indent=2, sort_keys=True)
    print()


main()
