#!/usr/bin/env bash
# tshark reads a pcapng file with picosecond timestamps wrong by up to a second, in silence.
#
# Expected: pcapng, option if_tsresol (9) of an Interface Description Block: the value 12 means units of 10^-12 s, and
#   the 64-bit timestamp counts them (from if_tsoffset on, since 2^64 ps are 213 days). A tool that keeps nanoseconds
#   cuts the last three digits.
# Seen (tshark 4.0.17): 1000000.123456789012 s reads as 1000000.012776324: the fraction times 10^9 overflows 64 bits
#   before it is divided. Fractions below 0.0184 s are right, so some packets of a file are right and their order is
#   lost. The same with units of 10^-11 s above 0.184 s. libpcap (tcpdump 4.99.3) reads all of them right.
# For a flow monitor: write nanoseconds (9) at most, whatever the clock gives; do not take tshark for the oracle of a
#   file from a card that stamps picoseconds.
# Needs: root for installing; Debian packages tshark, tcpdump; python3. Takes three seconds.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb tshark 4.0.17; deb tcpdump 4.99.3
python3 - <<'P'
import struct
def block(kind, body): return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
packet = struct.pack(">BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + bytes([192, 0, 2, 1, 198, 51, 100, 1]) + struct.pack(">HHHH", 1000, 2000, 8, 0)
for digits in (6, 9, 10, 11, 12):
    with open("%d.pcapng" % digits, "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        f.write(block(1, struct.pack("<HHI", 101, 0, 0) + struct.pack("<HHBxxx", 9, 1, digits) + bytes(4)))
        for fraction in (10000000000, 123456789012, 987654321098):  # picoseconds past second 1,000,000
            stamp = (1000000 * 10**12 + fraction) // 10**(12 - digits)
            f.write(block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, 28, 28) + packet))
P
same=yes
for digits in 6 9 10 11 12; do
    tshark=$(tshark -r $digits.pcapng -T fields -e frame.time_epoch 2>/dev/null | paste -sd' ')
    tcpdump=$(tcpdump -ttn --nano -r $digits.pcapng 2>/dev/null | cut -d' ' -f1 | paste -sd' ')
    echo "units of 10^-$digits s: tcpdump $tcpdump"
    echo "                    tshark  $tshark"
    right="1000000.010000000 1000000.123456789 1000000.987654321"
    case $digits in
        6) right="1000000.010000000 1000000.123456000 1000000.987654000"; recorded=$right ;;
        11) recorded="1000000.010000000 1000000.123456789 1000000.065317117" ;;
        12) recorded="1000000.010000000 1000000.012776324 1000000.009976885" ;;
        *) recorded=$right ;;
    esac
    [ "$tcpdump" = "$right" ] && [ "$tshark" = "$recorded" ] || same=no
done
[ $same = yes ] || { echo "CHANGED: see the header for what was recorded" >&2; exit 1; }
echo "as recorded"
