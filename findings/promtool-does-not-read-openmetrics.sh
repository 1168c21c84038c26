#!/usr/bin/env bash
# promtool check metrics rejects OpenMetrics text that Prometheus itself scrapes: exemplars, units, counters' help.
#
# Expected: `promtool check metrics` lints metrics "for consistency and correctness"; Prometheus asks for OpenMetrics first
#   when it scrapes, so its own tool reads that format.
# Seen (Prometheus 2.42.0, PyPI prometheus-client 0.26.0): one exposition of the client library, a counter with help.
#   In classic text: no complaint. In OpenMetrics: "no help text" for the counter (the HELP line names "flows", the
#   sample "flows_total", and promtool joins them by name), exit 3. With an exemplar: "expected integer as timestamp,
#   got "#"", exit 1. A timestamp with a fraction: the same error. Its parser is the classic one throughout.
# For a flow monitor: lint the classic exposition with promtool, and the OpenMetrics one with an OpenMetrics parser.
# Needs: root for installing; Debian package prometheus; python3 with venv and pip. Takes ten seconds.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb prometheus 2.42.0
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install prometheus-client==0.26.0
echo "prometheus-client 0.26.0"
cat > expose.py <<'P'
import prometheus_client
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families
prometheus_client.disable_created_metrics()
for name, exemplar in (("plain", None), ("exemplar", {"trace_id": "abc"})):
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("flows", "Flows.", registry=registry).inc(3, exemplar)
    open(name + ".openmetrics", "wb").write(openmetrics(registry))
    open(name + ".classic", "wb").write(prometheus_client.generate_latest(registry))
text = open("plain.openmetrics").read()
open("fraction.openmetrics", "w").write(text.replace("flows_total 3.0", "flows_total 3.0 1767225600.5"))
for name in ("plain", "exemplar", "fraction"):
    list(text_string_to_metric_families(open(name + ".openmetrics").read()))  # each is OpenMetrics by the client's strict parser
P
venv/bin/python expose.py
same=yes
check() { # file, recorded exit status, recorded words
    local said status=0
    said=$(promtool check metrics < "$1" 2>&1) || status=$?
    echo "  $1: exit $status${said:+, $said}"
    [ $status = "$2" ] && [[ $said == *"$3"* ]] || same=no
}
check plain.classic 0 ''
check exemplar.classic 0 ''
check plain.openmetrics 3 'flows_total no help text'
check exemplar.openmetrics 1 'expected integer as timestamp, got "#"'
check fraction.openmetrics 1 'expected integer as timestamp, got "1767225600.5"'
[ $same = yes ] || { echo "CHANGED: see the header for what was recorded" >&2; exit 1; }
echo "as recorded"
