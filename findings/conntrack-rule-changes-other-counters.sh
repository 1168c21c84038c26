#!/usr/bin/env bash
# A connection tracking rule in one nftables table changes what a counter in another table counts.
#
# Expected: nft(8): tables are independent containers; the packets that a base chain sees depend on its hook and
#   priority (prerouting, -300, "raw": before connection tracking at -200).
# Seen (Linux 6.18, nftables 1.0.6): ten UDP datagrams of 4,000 bytes arrive as 30 fragments. A counter in a "raw"
#   prerouting chain says 30 packets, 40,680 bytes. Then another table gets one rule with `ct state`, in the forward
#   chain that these packets never reach: the same counter now says 10 packets, 40,280 bytes for the same traffic.
#   Any ct expression switches on defragmentation at priority -400 for the whole network namespace. Only a chain
#   before -400 still sees fragments; so does the device.
# For a flow monitor: packet counts of nft counters (and of a firewall's flow logs) are not comparable between two
#   gateways, or before and after a rule change; count fragments at the device or at TC.
# Needs: root (makes and removes two network namespaces), iproute2, nftables, python3. Takes a second.
set -euo pipefail
a=fnd-ct-a-$$ b=fnd-ct-b-$$
trap 'ip netns del $a 2>/dev/null || true; ip netns del $b 2>/dev/null || true' EXIT
echo "Linux $(uname -r), $(nft --version)"
for ns in $a $b; do
    ip netns add $ns
    ip netns exec $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
ip -n $a link add v0 type veth peer name v0 netns $b
ip -n $a addr add 192.0.2.1/24 dev v0
ip -n $b addr add 192.0.2.2/24 dev v0
ip -n $a link set v0 up
ip -n $b link set v0 up
ip netns exec $b nft -f - <<'N'
table ip watch {
    chain first { type filter hook prerouting priority -450; ip protocol udp counter name at_450; }
    chain early { type filter hook prerouting priority -300; ip protocol udp counter name at_300; }
    counter at_450 { }
    counter at_300 { }
}
N
count() { # counter: packets and bytes since the last call
    ip netns exec $b nft -j reset counter ip watch "$1" |
        python3 -c 'import json,sys;c=[x["counter"] for x in json.load(sys.stdin)["nftables"] if "counter" in x][0];print(c["packets"],c["bytes"])'
}
send() {
    ip netns exec $a python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(10): s.sendto(bytes(4000), ("192.0.2.2", 9))'
    sleep 0.3
}
send
raw=$(count at_300) first=$(count at_450)
echo "one table:                            priority -450: $first, priority -300: $raw (packets bytes)"
ip netns exec $b nft -f - <<'N'
table ip firewall {
    chain forward { type filter hook forward priority 0; ct state established accept; }
}
N
send
raw_then=$(count at_300) first_then=$(count at_450)
echo "another table has a ct rule elsewhere: priority -450: $first_then, priority -300: $raw_then"
ip netns exec $b nft delete table ip firewall
send
raw_after=$(count at_300)
echo "that table deleted again:             priority -300: $raw_after"
[ "$first" = "30 40680" ] && [ "$raw" = "30 40680" ] && [ "$first_then" = "30 40680" ] && [ "$raw_then" = "10 40280" ] ||
    { echo "CHANGED: expected 30 40680 everywhere but 10 40280 at -300 with the ct rule" >&2; exit 1; }
echo "as recorded"
