#!/usr/bin/env bash
# TCP_INFO's bytes_acked counts the connecting side's SYN, but not the accepting side's, and both sides' FIN.
#
# Expected: the kernel's comment on tcpi_bytes_acked and tcpi_bytes_received names RFC 4898, tcpEStatsAppHCThruOctets-
#   Acked and -Received: octets of the application's data that were acknowledged or received. `ss -ti` prints them
#   beside bytes_sent.
# Seen (Linux 6.18): 1,000 bytes sent and 500 received, nothing lost: bytes_sent 1000, bytes_acked 1001 for the side
#   that connected, 1002 after its FIN. The accepting side's 500 bytes are 500 acked: its SYN does not count. A FIN
#   also counts as a byte received (501), a SYN never does.
# For a flow monitor: socket statistics joined to packets differ by up to two bytes a direction on every connection;
#   compare with bytes_sent minus bytes_retrans, or allow for SYN and FIN. An exact match is not the healthy case.
# Needs: python3; loopback only. Takes a second.
set -euo pipefail
echo "Linux $(uname -r)"
python3 - <<'P'
import socket, struct, sys, time
def info(s):
    """bytes_sent, bytes_acked, bytes_received (struct tcp_info, offsets 200, 120 and 128)"""
    raw = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return tuple(struct.unpack_from("=Q", raw, at)[0] for at in (200, 120, 128))
def receive(s, n):
    while n: n -= len(s.recv(n))

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
seen = {}
def note(when):
    time.sleep(0.2)
    for name, s in (("client", client), ("server", server)):
        seen[when, name] = info(s)
        print("%-24s %s: bytes_sent %4d  bytes_acked %4d  bytes_received %4d" % ((when, name) + info(s)))
note("connected")
client.sendall(bytes(1000)); receive(server, 1000)
server.sendall(bytes(500)); receive(client, 500)
note("data exchanged")
client.shutdown(socket.SHUT_WR); server.recv(1)
note("client has sent its FIN")
server.shutdown(socket.SHUT_WR); client.recv(1)
time.sleep(0.2)
last = info(client)
print("%-24s client: bytes_sent %4d  bytes_acked %4d  bytes_received %4d" % (("server has sent its FIN",) + last))
if not (seen["connected", "client"] == (0, 1, 0) and seen["connected", "server"] == (0, 0, 0) and seen["data exchanged", "client"] == (1000, 1001, 500)
        and seen["data exchanged", "server"] == (500, 500, 1000) and seen["client has sent its FIN", "client"] == (1000, 1002, 500)
        and seen["client has sent its FIN", "server"] == (500, 500, 1001) and last[2] == 501):
    sys.exit("CHANGED: expected the client's SYN and FIN among its acked bytes, no SYN of the server's, and the peer's FIN among those received")
print("as recorded")
P
