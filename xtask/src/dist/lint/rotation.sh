# rotation.sh FLOWD LOGROTATE_FILE UNIT: one rotation of the log of a flowd that watches lo, as the packages' timer does
# it. In a network and mounts of its own, so that /var/log and /run are nobody's.
set -eu
flowd=$1 logrotate=$2 unit=$3
work=$(mktemp -d)
main=
trap '[ -z "$main" ] || kill -KILL "$main" 2> /dev/null || true; umount -l "$work" 2> /dev/null || true; rmdir "$work"' EXIT
mount -t tmpfs tmpfs "$work"
install -m 0644 "$logrotate" "$work/logrotate"
install -m 0644 "$unit" "$work/unit"
mkdir "$work/bin"
install -m 0755 "$flowd" "$work/bin/flowd"
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /run
# As LogsDirectory= and DynamicUser= make it.
mkdir -p /run/systemd/system /var/log/private
chmod 0700 /var/log/private
install -d -m 0750 /var/log/private/flowd
ln -s private/flowd /var/log/flowd
log=/var/log/flowd/flows.jsonl
echo '{"before":true}' > "$log"

# systemctl does what the unit says; there is no systemd here.
cat > "$work/bin/systemctl" << END
#!/bin/sh -e
echo "\$@" >> $work/asked
[ "\$*" = "reload flowd.service" ]
MAINPID=\$(cat $work/pid)
$(sed -n 's/^ExecReload=//p' "$work/unit")
END
chmod 0755 "$work/bin/systemctl"
PATH=$work/bin:$PATH

ip link set lo up
printf 'interfaces = ["lo"]\nflow_log = "%s"\nlisten = "127.0.0.1:9435"\n' "$log" > "$work/flowd.toml"
flowd run --config "$work/flowd.toml" 2> "$work/stderr" &
main=$!
echo "$main" > "$work/pid"

fail() {
    echo "$1; flowd said:" >&2
    cat "$work/stderr" >&2
    ls -l /var/log/flowd/ >&2
    exit 1
}
# Whether flowd has that file open; waits for it.
holds() {
    for _ in $(seq 100); do
        for descriptor in "/proc/$main/fd/"*; do
            if [ "$descriptor" -ef "$1" ]; then return 0; fi
        done
        kill -0 "$main" 2> /dev/null || fail "flowd has ended"
        sleep 0.1
    done
    fail "flowd does not write to $1"
}
rotate() { logrotate --force --state "$work/state" "$work/logrotate"; }

holds "$log"
rotate
[ "$(cat "$work/asked")" = "reload flowd.service" ] || fail "logrotate did not ask for a reload"
[ "$(cat "$log.1")" = '{"before":true}' ] || fail "the old lines are not in $log.1"
holds "$log"
curl --silent --fail --output /dev/null http://127.0.0.1:9435/metrics || fail "/metrics does not answer"
kill -TERM "$main"
wait "$main" || fail "flowd ended with an error"
main=
grep -q 9435 "$log" || fail "no flow is in the new log"
rm "$work/pid" "$work/asked"
# Without a flowd the rotation goes on all the same, and the older file is compressed.
rotate
gzip -dc "$log.2.gz" | grep -q before || fail "the older log was not compressed"
echo "rotated, the new file taken up by SIGHUP, the old one compressed"
