#!/usr/bin/env bash
# Podman 5.8.6, spoken to as Docker: its list is silent on health and network mode, and `restart` is told before it
# begins.
#
# `GET /containers/json` has neither `Health`, nor "(healthy)" in `Status`, nor `HostConfig`; only inspecting tells
# both. The event `restart` comes when the application is still running and has not been told to stop (Docker's comes
# when it runs again): here a second before its `die`. `podman stop` sends no `kill`, so that the first thing that is
# heard of it is the `die` of an application that has ended already.
#
# Seen:    inspected: healthy, none; in the list: Status 'Up Less than a second', no Health, no HostConfig
#          events of a restart: restart, die, init, start; restart 1.1 s before die
#          events of a stop: die, cleanup
# Matters: one inspection for each container with a health check, and draining, for which a stop gives no notice here
#          (dockerproxy/discovery/following/draining.py).
set -euo pipefail
source "$(dirname "$0")/support/engines.sh"
debian_root
in_root <<'INNER'
set -euo pipefail
export PODMAN_IGNORE_CGROUPSV1_WARNING=1
engine() { podman --cgroup-manager=cgroupfs --storage-driver=vfs --events-backend=file "$@"; }
ask() { curl --silent --no-buffer --unix-socket /run/podman.sock "http://engine$1"; }
engine import /tmp/image.tar image >/dev/null 2>&1
engine system service --time=0 unix:///run/podman.sock 2>/tmp/podman.log &
for _ in $(seq 100); do [ -S /run/podman.sock ] && break; sleep 0.1; done
ask /events >/tmp/events &
sleep 0.5
engine run --detach --name site --cgroups=disabled --network none --health-cmd true --health-interval 1h image \
    sh -c 'trap "sleep 1; exit 0" TERM; while :; do sleep 0.1; done' >/dev/null ||
    { echo "cannot be tried here: Podman starts no container"; exit 77; }
for _ in $(seq 50); do engine healthcheck run site >/dev/null 2>&1 && break; sleep 0.2; done
ask /containers/json >/tmp/list
ask /containers/site/json >/tmp/inspected
ask /version >/tmp/version
engine restart site >/dev/null
sleep 0.5
engine stop site >/dev/null
sleep 0.5
python3 - <<'PYTHON'
import json, sys

with open("/tmp/version") as version, open("/tmp/list") as listed, open("/tmp/inspected") as inspected:
    print("Podman", json.load(version)["Version"])
    (entry,), whole = json.load(listed), json.load(inspected)
with open("/tmp/events") as file:
    events = [event for event in map(json.loads, file) if event["Type"] == "container"]
names = [event["Action"] for event in events]
first = names.index("restart")
second = names.index("start", first) + 1
health, mode = whole["State"]["Health"]["Status"], whole["HostConfig"]["NetworkMode"]
silent = not {"Health", "HostConfig"} & entry.keys() and "healthy" not in entry["Status"]
ahead = (events[names.index("die", first)]["timeNano"] - events[first]["timeNano"]) / 1e9
stopped = names[second:]
told = "no Health, no HostConfig" if silent else "both"
print(f"inspected: {health}, {mode}; in the list: Status {entry['Status']!r}, {told}")
print(f"events of a restart: {', '.join(names[first:second])}; restart {ahead:.1f} s before die")
print(f"events of a stop: {', '.join(stopped)}")
sys.exit(health != "healthy" or not silent or ahead < 0.5 or "kill" in stopped)
PYTHON
INNER
