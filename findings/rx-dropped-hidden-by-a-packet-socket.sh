#!/usr/bin/env bash
# A capture running on the host stops the device's rx_dropped from growing: looking at the drops removes them.
#
# Expected: Documentation/networking/statistics.rst: rx_dropped counts packets that were received and dropped. Reading
#   packets on the side (a packet socket gets copies) changes nothing about their fate.
# Seen (Linux 6.18): frames that no protocol on the host takes (LLDP, spanning tree, a foreign EtherType) are counted
#   in rx_dropped, though nothing is short of anything. While a packet socket for all protocols is open anywhere in
#   the network namespace, the copy to it counts as delivery, and rx_dropped stands still. A socket for IPv4 alone
#   changes nothing.
# For a flow monitor: drops that stop when tcpdump starts are no heisenbug; the counter of a healthy gateway grows with
#   its neighbours' LLDP, so an alert on it needs the reason (drop_reason, or the EtherTypes seen), and a monitor that
#   opens a packet socket must know that it changes the number.
# Needs: root (makes and removes two network namespaces), iproute2, python3. Takes three seconds.
set -euo pipefail
a=fnd-drop-a-$$ b=fnd-drop-b-$$ pid='' dir=$(mktemp -d)
trap 'rm -rf "$dir"; [ -z "$pid" ] || kill $pid 2>/dev/null || true; ip netns del $a 2>/dev/null || true; ip netns del $b 2>/dev/null || true' EXIT
echo "Linux $(uname -r)"
for ns in $a $b; do
    ip netns add $ns
    ip netns exec $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
ip -n $a link add v0 type veth peer name v0 netns $b
ip -n $a link set v0 up
ip -n $b link set v0 up

counters() { ip -n $b -s -j link show v0 | python3 -c 'import json,sys;r=json.load(sys.stdin)[0]["stats64"]["rx"];print(r["packets"],r["dropped"])'; }
ten_lldp_frames() {
    ip netns exec $a python3 -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("v0", 0))
for _ in range(10): s.send(bytes.fromhex("0180c200000e02000000000188cc") + bytes(46))'
    sleep 0.2
}
growth() { # what stands beside it: by how much packets and drops grew
    read -r p0 d0 < <(counters); ten_lldp_frames; read -r p1 d1 < <(counters)
    echo "$1: 10 frames sent, rx_packets +$((p1 - p0)), rx_dropped +$((d1 - d0))"
    result="$((p1 - p0)) $((d1 - d0))"
}
packet_socket() { # EtherType
    ip netns exec $b python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(int(sys.argv[1], 0)))
open(sys.argv[2], "w").close(); time.sleep(30)' "$1" "$dir/ready" &
    pid=$!
    for _ in $(seq 100); do [ -e "$dir/ready" ] && break; sleep 0.05; done
    rm -f "$dir/ready"
}
close_it() { kill $pid; wait $pid 2>/dev/null || true; pid=''; sleep 0.2; }

growth "nobody listens            "; alone=$result
packet_socket 0x0003; growth "packet socket, all types  "; watched=$result; close_it
packet_socket 0x0800; growth "packet socket, IPv4 only  "; ipv4=$result; close_it
growth "nobody listens again      "; again=$result
[ "$alone" = "10 10" ] && [ "$watched" = "10 0" ] && [ "$ipv4" = "10 10" ] && [ "$again" = "10 10" ] ||
    { echo "CHANGED: expected drops of 10, 0, 10, 10" >&2; exit 1; }
echo "as recorded"
