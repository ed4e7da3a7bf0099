#!/usr/bin/env bash
# unit_tests.sh TREE: runs every test that CTest knows in the build tree. The last line counts the
# tests inside the GoogleTest binaries, and any other CTest entry as one. Of what the tests print,
# only the output of those that fail is shown.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
tree=$1
rm -f "$tree/ctest.xml"
ctest --test-dir "$tree" --no-tests=error --timeout 1800 \
  --output-junit ctest.xml --test-output-size-passed 100000000 --test-output-size-failed 100000000
status=$?
python3 - "$tree/ctest.xml" <<'PYTHON' || exit 1
import re, sys
import xml.etree.ElementTree as xml

started = re.compile(r"\[ RUN      \] (\S+)$", re.MULTILINE)
ended = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] (\S+?),?(?: .*)? \(\d+ ms\)$", re.MULTILINE)
count = {"OK": 0, "FAILED": 0, "SKIPPED": 0}


def record(result, name, output=""):
    count[result] += 1
    if result == "FAILED":
        print(output)
    if result != "OK":
        print(f"{result.lower()}: {name}{reason_in(output) if result == 'SKIPPED' else ''}")


def reason_in(output):
    """What the test gave as its reason to skip."""
    _, found, said = output.partition(": Skipped\n")
    return f" ({said.partition(chr(10))[0]})" if found else ""


def output_of(test, output):
    """What the test printed, from the line that starts it to the line that starts the next."""
    return output.partition(f"[ RUN      ] {test}\n")[2].partition("[ RUN ")[0]


def result_of(entry):
    reason = entry.find("skipped")
    if entry.get("status") == "disabled" or (reason is not None and reason.get("message").startswith("SKIP_")):
        return "SKIPPED"
    return "OK" if entry.get("status") == "run" else "FAILED"


for entry in xml.parse(sys.argv[1]).iter("testcase"):
    output = entry.findtext("system-out") or ""
    results = {name: result for result, name in ended.findall(output)}
    results |= {name: "FAILED" for name in started.findall(output) if name not in results}
    for name, result in results.items():
        record(result, f"{entry.get('name')}: {name}", output_of(name, output))
    whole = result_of(entry)
    if not results or (whole == "FAILED" and "FAILED" not in results.values()):
        record(whole, entry.get("name"), output)
print(f"{count['OK']} passed, {count['FAILED']} failed, {count['SKIPPED']} skipped")
PYTHON
exit $status
