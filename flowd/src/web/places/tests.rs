use super::*;

const SMALL: Limits = Limits { all: 8, each: 4, reserve: 2 };

fn places() -> Arc<Places> {
    Places::new(SMALL, Arc::default())
}

fn from(places: &Arc<Places>, address: &str) -> Option<Place> {
    places.take(address.parse().unwrap())
}

impl Place {
    /// It was asked to leave.
    fn left(&self) -> bool {
        let mut leaves = std::pin::pin!(self.seat.leaves());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        leaves.as_mut().poll(&mut context).is_ready()
    }

    /// As if its state had been the same for so long.
    fn aged(&self, by: Duration) {
        self.seat.set(|state| match state {
            State::Idle(since) => State::Idle(since - by),
            State::Busy | State::Blocked(_) => State::Blocked(Instant::now() - by),
        });
    }
}

#[test]
fn the_longest_idle_of_the_busiest_address_makes_room() {
    let places = places();
    let alone = from(&places, "192.0.2.1").unwrap();
    alone.aged(Duration::from_secs(60));
    let many: Vec<_> = (0..4).map(|_| from(&places, "192.0.2.2").unwrap()).collect();
    many[2].aged(Duration::from_secs(3));
    let rest: Vec<_> = (3..6).map(|host| from(&places, &format!("192.0.2.{host}")).unwrap()).collect();
    let new = from(&places, "192.0.2.9").unwrap();
    assert!(!new.seat().is_reserved());
    assert!(many[2].left() && !alone.left());
    assert!(many.iter().chain(&rest).filter(|place| place.left()).count() == 0, "one alone");
    // It has gone once; that its connection ends later frees nothing more.
    drop(many);
    assert_eq!(places.seats().len(), 5);
}

/// Its request may be on its way while all others are being answered.
#[test]
fn a_new_connection_stays_against_those_who_have_as_many() {
    let places = places();
    let crowd = |host: u8, count: usize| -> Vec<_> {
        (0..count).map(|_| from(&places, &format!("192.0.2.{host}")).unwrap()).collect()
    };
    let busy = [crowd(1, 4), crowd(2, 3)];
    busy.iter().flatten().for_each(|place| place.seat().begin());
    let new = from(&places, "192.0.2.3").unwrap();
    assert!(from(&places, "192.0.2.2").unwrap().seat().is_reserved() && !new.left());
    let alone = [4, 5].map(|host| from(&places, &format!("192.0.2.{host}")).unwrap());
    assert!(alone.iter().all(|place| place.seat().is_reserved()) && !new.left());
    // Where the reserve is full too, another that stands alone takes it: strangers by the hundred may be silent.
    assert!(!from(&places, "192.0.2.6").unwrap().seat().is_reserved() && new.left());
}

#[test]
fn an_address_has_no_more_than_its_share() {
    let places = places();
    let many: Vec<_> = (0..4).map(|_| from(&places, "2001:db8::1").unwrap()).collect();
    many[1].aged(Duration::from_secs(1));
    let fifth = from(&places, "2001:db8::ffff:2").unwrap();
    assert!(many[1].left() && !fifth.seat().is_reserved(), "one host has the whole /64");
    // While all of its connections are being answered, more of it go to the reserve.
    many.iter().chain([&fifth]).for_each(|place| place.seat().begin());
    let reserved = from(&places, "2001:db8::3").unwrap();
    assert!(reserved.seat().is_reserved());
    assert!(!from(&places, "2001:db8:0:1::1").unwrap().seat().is_reserved(), "another has its own");
}

#[test]
fn clients_that_take_nothing_leave_and_the_reserve_is_kept_short() {
    let places = places();
    let mut busy: Vec<_> = (0..8).map(|host| from(&places, &format!("192.0.2.{host}")).unwrap()).collect();
    busy.iter().for_each(|place| place.seat().begin());
    let reserve: Vec<_> = (0..2).map(|_| from(&places, "192.0.2.100").unwrap()).collect();
    assert!(reserve.iter().all(|place| place.seat().is_reserved()));
    assert!(from(&places, "192.0.2.100").is_none(), "just taken");
    assert_eq!(places.refusals.of(Refusal::Places), 1);
    let alone = from(&places, "192.0.2.101").unwrap();
    assert!(alone.seat().is_reserved() && reserve.iter().filter(|place| place.left()).count() == 1);
    drop(alone);
    let reserve = [reserve, vec![from(&places, "192.0.2.100").unwrap()]];
    busy[5].aged(STALLED);
    let new = from(&places, "192.0.2.101").unwrap();
    assert!(!new.seat().is_reserved() && busy[5].left());
    // One that reads stays, however slowly.
    busy[6].aged(STALLED);
    busy[6].seat().goes_on();
    new.seat().begin();
    assert!(from(&places, "192.0.2.102").unwrap().seat().is_reserved());
    // What is over makes room at once.
    busy[6].seat().end();
    assert!(!from(&places, "192.0.2.102").unwrap().seat().is_reserved());
    drop(reserve);
    busy.clear();
    assert!(places.seats().len() <= 1);
}

#[test]
fn who_never_asks_leaves() {
    let places = places();
    let [silent, idle] = [1, 2].map(|host| from(&places, &format!("192.0.2.{host}")).unwrap());
    idle.seat().begin();
    idle.seat().end();
    places.sweep();
    assert!(!silent.left());
    let mut seats = places.seats();
    for seat in seats.iter_mut() {
        let old = Seat { began: seat.began - FIRST, ..Seat::new(seat.peer, false) };
        old.asked.store(seat.asked.load(Ordering::Relaxed), Ordering::Relaxed);
        *seat = Arc::new(old);
    }
    drop(seats);
    places.sweep();
    assert_eq!(places.seats().len(), 1, "the one that has asked stays");
}

#[test]
fn few_descriptors_mean_few_places() {
    assert_eq!(Limits::within(1_024, 30), Ok(Limits { all: 256, each: 64, reserve: 16 }));
    assert_eq!(Limits::within(64, 30), Ok(Limits { all: 8, each: 4, reserve: 2 }));
    let error = Limits::within(48, 30).unwrap_err().to_string();
    assert!(error.contains("LimitNOFILE") && error.contains("62"), "{error}");
}
