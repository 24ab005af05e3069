#!/bin/sh
# An origin, three relays and HAProxy with the file beside this one, all on this machine: make fleet
# PORT (5000) is HAProxy's; the others are the next ones. Ctrl+C ends all.
set -eu

program=$1
port=${PORT:-5000}
folder=$(mktemp -d)
pids=

end() {
    trap - EXIT INT TERM
    # shellcheck disable=SC2086 # one word a process
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 0' INT TERM

origin=$((port + 10))
"$program" --camera "${CAMERA:-pattern}" --bind "127.0.0.1:$origin" &
pids="$pids $!"
sed "s/bind :5000/bind 127.0.0.1:$port/" "$(dirname "$0")/haproxy.cfg" >"$folder/haproxy.cfg"
for n in 1 2 3; do
    relay=127.0.0.1:$((port + n))
    "$program" --camera "http://127.0.0.1:$origin/stream" --bind "$relay" --threads 50 \
        --drain-timeout 2s --trusted-proxy 127.0.0.1 &
    pids="$pids $!"
    sed -i "s/ relay$n:5000/ $relay/" "$folder/haproxy.cfg"
done
haproxy=$(PATH="$PATH:/usr/sbin:/sbin" command -v haproxy)
"$haproxy" -f "$folder/haproxy.cfg" &
pids="$pids $!"
echo "the fleet is at http://127.0.0.1:$port/ (relays at $((port + 1)) to $((port + 3)), origin at $origin)"
wait
