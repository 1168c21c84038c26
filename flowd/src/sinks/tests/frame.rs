//! The frame over transports that are slow, fail, block and come back: whatever they do, each record that was offered
//! is written or counted as dropped.

use std::{
    io,
    sync::{Mutex, PoisonError, atomic::AtomicU64},
};

use super::*;
use crate::record::Record;

/// What a transport of these tests is to do, and what it did.
#[derive(Default)]
struct Peer {
    /// Attempts to connect that fail, before one works.
    refuses: AtomicU64,
    /// Batches that fail, once connected, and are to come again; then those that fail for good.
    fails_again: AtomicU64,
    fails: AtomicU64,
    /// Takes nothing while it is set.
    blocks: AtomicBool,
    /// Of each batch.
    pause: Option<Duration>,
    connections: AtomicU64,
    got: Mutex<Vec<u8>>,
}

struct ToPeer(Arc<Peer>);

fn one_less(count: &AtomicU64) -> bool {
    count.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1)).is_ok()
}

impl Transport for ToPeer {
    fn peer(&self) -> &str {
        "the peer"
    }

    fn limit(&self) -> usize {
        64
    }

    fn connect(&mut self) -> io::Result<()> {
        if one_less(&self.0.refuses) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        self.0.connections.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn send(&mut self, batch: &[u8]) -> Result<(), Failure> {
        while self.0.blocks.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.0.pause.into_iter().for_each(std::thread::sleep);
        if one_less(&self.0.fails_again) {
            return Err(Failure::Again(io::ErrorKind::TimedOut.into()));
        }
        if one_less(&self.0.fails) {
            return Err(Failure::Lost(io::ErrorKind::StorageFull.into()));
        }
        self.0.got.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(batch);
        Ok(())
    }
}

/// Numbers as lines, after a greeting. 13 is not to be written.
struct Numbers;

impl Format for Numbers {
    fn append(&mut self, record: &Record, batch: &mut Vec<u8>, limit: usize) -> io::Result<Appended> {
        let text = serde_json::to_string(record)?;
        if batch.len() + text.len() >= limit {
            return Ok(Appended::Full);
        }
        batch.extend_from_slice(text.as_bytes());
        if text == "13" {
            return Err(io::ErrorKind::InvalidData.into());
        }
        batch.push(b'\n');
        Ok(Appended::Taken)
    }

    fn greet(&mut self, batch: &mut Vec<u8>) {
        batch.extend_from_slice(b"hello\n");
    }
}

fn start(peer: Peer, queue: usize) -> (Sink, Arc<Peer>, Arc<SinkCounters>) {
    let (peer, counters) = (Arc::new(peer), SinkCounters::new("test"));
    let spec = Spec::log("test", "-", "http", "json", queue);
    let transport = Box::new(ToPeer(Arc::clone(&peer)));
    let patience = Duration::from_millis(700);
    let sink = Sink::start(spec, Box::new(Numbers), transport, Arc::clone(&counters), patience).unwrap();
    (sink, peer, counters)
}

fn got(peer: &Peer) -> Vec<u32> {
    let got = peer.got.lock().unwrap_or_else(PoisonError::into_inner);
    let text = std::str::from_utf8(&got).unwrap();
    text.lines().filter(|line| *line != "hello").map(|line| line.parse().unwrap()).collect()
}

fn reasons(counters: &SinkCounters) -> Vec<(&'static str, u64)> {
    counters.dropped_by_reason().filter(|(_, count)| *count > 0).collect()
}

#[test]
fn all_is_written_in_order_and_what_cannot_be_is_counted() {
    let (mut sink, peer, counters) = start(Peer::default(), 4_096);
    (0..1_000_u32).for_each(|number| sink.offer_last(&record(number)));
    let outcome = sink.close();
    assert_eq!((outcome.lost, outcome.problem), (1, None));
    assert!(got(&peer).into_iter().eq((0..1_000).filter(|number| *number != 13)));
    assert_eq!((counters.records(), reasons(&counters)), (999, vec![("format", 1)]));
    assert_eq!(counters.bytes(), peer.got.lock().unwrap().len() as u64 - 6, "the greeting is no record");
    assert_eq!(counters.is_up(), None);
}

#[test]
fn a_slow_peer_costs_what_its_queue_cannot_hold() {
    let peer = Peer { pause: Some(Duration::from_millis(2)), ..Peer::default() };
    let (sink, peer, counters) = start(peer, 16);
    let began = Instant::now();
    (100..5_100_u32).for_each(|number| sink.offer(&record(number)));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let outcome = sink.close();
    assert!(outcome.lost > 0);
    assert_eq!(got(&peer).len() as u64, counters.records());
    assert_eq!((counters.records() + counters.dropped(), counters.waiting()), (5_000, 0));
    assert_eq!(reasons(&counters), [("queue", outcome.lost)]);
}

#[test]
fn a_peer_that_is_not_there_yet_gets_everything_once_it_is() {
    let peer = Peer { refuses: AtomicU64::new(2), fails_again: AtomicU64::new(1), ..Peer::default() };
    let (sink, peer, counters) = start(peer, 4_096);
    (100..200_u32).for_each(|number| sink.offer(&record(number)));
    wait(|| sink.health() != Health::Up);
    assert_eq!(counters.is_up(), Some(false));
    wait(|| counters.records() == 100);
    wait(|| sink.health() == Health::Up);
    assert_eq!(counters.is_up(), Some(true));
    sink.close();
    assert!(got(&peer).into_iter().eq(100..200), "in order, each once");
    let errors: Vec<_> = counters.errors_by_reason().filter(|(_, count)| *count > 0).collect();
    assert_eq!(errors, [("refused", 2), ("timed_out", 1)]);
    // The greeting failed, and was sent again over the second connection.
    assert_eq!((counters.dropped(), peer.connections.load(Ordering::Acquire)), (0, 2));
}

#[test]
fn what_failed_for_good_is_dropped_and_the_rest_goes_on() {
    let (sink, peer, counters) = start(Peer::default(), 4_096);
    sink.offer(&record(1));
    wait(|| counters.records() == 1);
    peer.fails.store(3, Ordering::Release);
    (100..1_100_u32).for_each(|number| sink.offer(&record(number)));
    let outcome = sink.close();
    assert_eq!(got(&peer).len() as u64, counters.records());
    assert!(counters.records() > 1 && outcome.problem.is_none());
    assert_eq!(counters.records() + counters.dropped(), 1_001);
    assert_eq!(reasons(&counters), [("write", outcome.lost)]);
}

/// A disk that is nearly full takes the small batches and refuses the large ones: it does not work in between.
#[test]
fn a_peer_that_takes_some_is_not_up() {
    let (sink, peer, counters) = start(Peer::default(), 4_096);
    for number in 1..=10 {
        peer.fails.store(1, Ordering::Release);
        sink.offer(&record(100));
        wait(|| counters.dropped() == number);
        sink.offer(&record(100));
        wait(|| counters.records() == number);
        assert_eq!(counters.is_up(), Some(false));
    }
    wait(|| sink.health() == Health::Up);
    assert_eq!(counters.is_up(), Some(true));
    sink.close();
}

/// The end does not wait for the next attempt of a peer that was away for long: there is one more, at once.
#[test]
fn the_end_comes_also_while_the_peer_is_away() {
    let (mut sink, _peer, counters) =
        start(Peer { refuses: AtomicU64::new(u64::MAX), ..Peer::default() }, 16);
    (100..200_u32).for_each(|number| sink.offer_burst(&record(number)));
    wait(|| counters.errors() >= 3);
    let began = Instant::now();
    let outcome = sink.close();
    assert!(began.elapsed() < Duration::from_millis(600), "{:?}", began.elapsed());
    assert!(outcome.problem.is_some_and(|problem| problem.starts_with("the peer: ")));
    assert_eq!((counters.records(), counters.dropped(), outcome.lost), (0, 100, 100));
    assert_eq!((counters.waiting(), counters.is_up()), (0, None));
}

#[test]
fn a_peer_that_blocks_is_given_up_and_what_it_has_not_taken_counted() {
    let (mut sink, peer, counters) = start(Peer { blocks: AtomicBool::new(true), ..Peer::default() }, 16);
    (100..200_u32).for_each(|number| sink.offer_burst(&record(number)));
    let began = Instant::now();
    let outcome = sink.close();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!((counters.records(), counters.dropped(), outcome.lost), (0, 100, 100));
    // What the abandoned thread still does is not counted twice.
    peer.blocks.store(false, Ordering::Release);
    wait(|| got(&peer).len() >= 16);
    assert_eq!((counters.records(), counters.dropped()), (0, 100));
}

#[test]
fn a_peer_that_comes_back_gets_all_that_could_wait() {
    let (mut sink, peer, counters) = start(Peer { refuses: AtomicU64::new(3), ..Peer::default() }, 64);
    (100..1_100_u32).for_each(|number| sink.offer_burst(&record(number)));
    for _ in 0..500 {
        if !sink.settle() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    sink.close();
    // Queue, backlog, and what the writer held.
    assert!(got(&peer).len() >= 64 * 5, "{}", got(&peer).len());
    assert_eq!(got(&peer).len() as u64, counters.records());
    assert_eq!(counters.records() + counters.dropped(), 1_000);
}
