"""Adds up the suites of one ctest run and closes with `N passed, N failed`.

usage: summary.py RESULTS

RESULTS holds ctest's own report (ctest.xml) and, for each suite NAME in it, NAME.json in the form that its runner
writes: GoogleTest's, lit's or the conformance runner's. A suite that failed without reporting any failed test (it
crashed, or timed out) counts as one failure, so that nothing is lost. The exit status is 1 if anything failed.
"""
import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree


def from_googletest(report):
    failed, passed = [], 0
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            if test["status"] != "RUN":
                continue
            if "failures" in test:
                failed.append(suite["name"] + "." + test["name"])
            else:
                passed += 1
    return passed, failed, {}


def from_lit(report):
    failed, passed, skipped = [], 0, collections.Counter()
    for test in report["tests"]:
        if test["code"] in ("PASS", "XFAIL", "FLAKYPASS"):
            passed += 1
        elif test["code"] in ("UNSUPPORTED", "SKIPPED", "EXCLUDED"):
            reason = re.search(r"unavailable features: (.*)", test.get("output", ""))
            skipped["needs " + reason.group(1) if reason else "unsupported here"] += 1
        else:
            failed.append(test["name"])
    return passed, failed, skipped


def from_conformance(report):
    return report["passed"], report["failed"], report.get("skipped", {})


def read_suite(path):
    report = json.loads(path.read_text())
    if "testsuites" in report:
        return from_googletest(report)
    if "__version__" in report:
        return from_lit(report)
    return from_conformance(report)


def main():
    results = pathlib.Path(sys.argv[1])
    passed, failed, skipped = 0, [], collections.Counter()
    for case in xml.etree.ElementTree.parse(results / "ctest.xml").getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        path = results / (name + ".json")
        suite_passed, suite_failed, suite_skipped = 0, [], {}
        if path.exists():
            suite_passed, suite_failed, suite_skipped = read_suite(path)
        if status != "run" and not suite_failed:
            suite_failed = ["the suite itself (" + status + ")"]
        passed += suite_passed
        failed += [name + ": " + test for test in suite_failed]
        for reason, count in suite_skipped.items():
            skipped[name + ": " + reason] += count
    for reason, count in sorted(skipped.items()):
        print(f"skipped {count}: {reason}")
    for test in failed:
        print("FAILED " + test)
    if passed == 0 and not failed:
        failed.append("no test ran")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
