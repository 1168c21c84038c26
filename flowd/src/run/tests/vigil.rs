use std::os::unix::net::UnixDatagram;

use super::*;

/// What the watchdog hears while one part hangs.
#[tokio::test]
async fn the_watchdog_hears_of_a_daemon_only_while_every_part_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_nonblocking(true).unwrap();
    let heard = || {
        let mut buffer = [0; 512];
        let len = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    };
    let ledger = Ledger::new(
        LedgerOptions { conversations: 10, active_timeout: None },
        Arc::default(),
        Vec::new(),
        WallClock::CAPTURE,
    );
    let telemetry = Arc::new(Telemetry::new(Vec::new()));
    telemetry.set_ready(true);
    let board = Arc::new(Board::new(ledger.numbers().clone(), Vec::new(), Arc::clone(&telemetry)));
    let limit = Duration::from_millis(200);
    let service = Service::at(path.to_str().unwrap(), Some(limit)).unwrap();
    let mut vigil = Vigil::new(service, Arc::clone(&telemetry), board, Arc::clone(ledger.live()));
    vigil.ready();
    assert_eq!(heard(), "READY=1\nSTATUS=watching : 0 flows");
    for (beating, alive) in [
        (&Part::ALL[..], true),
        (&[Part::Pump], false),
        (&[Part::Web], false),
        (&[], false),
        (&Part::ALL, true),
    ] {
        beating.iter().for_each(|part| telemetry.beat(*part));
        vigil.due().await;
        vigil.look();
        assert_eq!(heard().contains("\nWATCHDOG=1"), alive, "{beating:?}");
    }
}
