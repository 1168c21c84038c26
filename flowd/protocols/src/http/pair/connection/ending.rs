//! When exchanges are over: by the next message, by the end of the connection, by time.

use flow_common::key::Sender;

use super::{
    super::pending::{Context, SIZE_WAIT},
    Connection, Pending, SegmentInfo,
};
use crate::{
    assembly::distance,
    http::{HttpOptions, record::Emit, span::Last, stream::Streams},
    progress::Progress,
};

impl Connection {
    /// Ends the head that `from` has under way, if any.
    pub(super) fn cut(&mut self, from: Sender, options: &HttpOptions, emit: Emit<'_>) {
        if let Some(message) = self.streams.of_mut(from).cut(&options.privacy)
            && !self.left_http
        {
            let expect = self.message(from, message, options, emit);
            self.streams.of_mut(from).follow(expect);
        }
    }

    /// FIN or RST of `from`; `seq` is the sequence number behind its last byte, which passed at `last`.
    pub(in crate::http) fn end(
        &mut self,
        from: Sender,
        seq: u32,
        last: u64,
        reset: bool,
        options: &HttpOptions,
        emit: Emit<'_>,
    ) {
        if self.ended.is_some() {
            return;
        }
        // With bytes missing before it, a FIN overtook a segment that may still come.
        if reset || self.streams.of(from).is_taken_up_to(seq) {
            self.cut(from, options, emit);
        }
        if !reset {
            self.streams.of_mut(from).fin = Some(seq);
        }
        let SegmentInfo { time, ack, .. } = self.segment;
        if self.streams.of(from).may_end(seq) {
            self.stop_message(from, seq, Some(last).filter(|&last| last != 0));
        }
        if let Some(ack) = ack.filter(|_| reset) {
            // It will take nothing more either.
            self.cut_upload(from, ack);
            self.stop_message(from.other(), ack, None);
        }
        if reset || self.streams.both_ended() {
            self.cut_both(options, emit);
            self.ended = Some(time);
            self.reset = reset;
            self.flush(emit);
        } else {
            self.release(emit);
        }
    }

    /// The server resets while the client, whose bytes passed up to `edge`, still sends what it has answered: that the
    /// chunks were over nobody knows, and it did not wait for them.
    fn cut_upload(&mut self, from: Sender, edge: u32) {
        let Some(last) = self.streams.of(from.other()).last.filter(|last| last.end.is_none()) else { return };
        let went_on = |at: u32| distance(at, edge) > 0;
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.number == last.number)
            && pending.answered_at.is_some_and(went_on)
        {
            pending.sent.cut = true;
        }
    }

    pub(super) fn cut_both(&mut self, options: &HttpOptions, emit: Emit<'_>) {
        // The client's first, so that the server's finds its request.
        let client = self.client.unwrap_or(Sender::A);
        self.cut(client, options, emit);
        self.cut(client.other(), options, emit);
        for side in [client, client.other()] {
            let stream = self.streams.of_mut(side);
            stream.give_up_out_of_order(&options.privacy);
            self.losses.lost_copy += stream.take_given_up();
        }
    }

    /// Everything outstanding is reported as it is.
    pub(in crate::http) fn finish(&mut self, options: &HttpOptions, emit: Emit<'_>) {
        self.cut_both(options, emit);
        self.flush(emit);
    }

    pub(super) fn leave(&mut self, emit: Emit<'_>) {
        self.left_http = true;
        self.streams = Streams::default();
        self.flush(emit);
    }

    pub(super) fn flush(&mut self, emit: Emit<'_>) {
        while let Some(pending) = self.pending.pop_front() {
            self.report(pending, emit);
        }
    }

    pub(super) fn is_full(&self, options: &HttpOptions) -> bool {
        self.pending.len() >= options.max_pending_per_flow.max(1)
    }

    /// Gives up the oldest outstanding exchanges until there is room for one more.
    pub(super) fn make_room(&mut self, options: &HttpOptions, emit: Emit<'_>) {
        self.release(emit);
        while self.is_full(options) {
            let Some(oldest) = self.pending.pop_front() else { return };
            if oldest.response.is_none() && !oldest.missed {
                self.owed += usize::from(oldest.request.is_some());
                self.losses.pipeline_full += 1;
            }
            self.report(oldest, emit);
        }
    }

    /// Reports what is complete, in the order of the requests.
    pub(super) fn release(&mut self, emit: Emit<'_>) {
        while self.pending.front().is_some_and(|front| front.missed || self.is_over(front)) {
            if let Some(pending) = self.pending.pop_front() {
                self.report(pending, emit);
            }
        }
    }

    /// All that can be known of it is known, what is sent again of it included.
    pub(super) fn is_over(&self, pending: &Pending) -> bool {
        let over = |side: Option<Sender>| side.is_some_and(|side| self.streams.of(side).fin.is_some());
        let (client_over, server_over) = (over(self.client), over(self.client.map(Sender::other)));
        let sized = (pending.request.is_none() || pending.sent.bytes.is_some() || client_over)
            && (pending.received.bytes.is_some() || server_over);
        // A server may answer before it has all of the request (RFC 9112 section 9.5): what more of it passes counts.
        let sent = pending.has_passed() || client_over || !self.is_last_of(self.client, pending);
        let timed = sent && (pending.received.ended.is_some() || server_over || !self.goes_on(pending));
        let newer = self.pending.back().is_some_and(|back| back.number != pending.number);
        pending.response.is_some() && sized && timed && (newer || client_over || server_over)
    }

    /// Its response is the last message of the server.
    pub(super) fn goes_on(&self, pending: &Pending) -> bool {
        self.is_last_of(self.client.map(Sender::other), pending)
    }

    /// The last message of `side` is one of this exchange.
    fn is_last_of(&self, side: Option<Sender>, pending: &Pending) -> bool {
        let last = side.and_then(|side| self.streams.of(side).last);
        last.is_some_and(|last| last.number == pending.number)
    }

    /// What time ends; `look` asks for the flow's record.
    pub(in crate::http) fn expire(
        &mut self,
        now: u64,
        look: &mut dyn FnMut(u32) -> Option<Progress>,
        options: &HttpOptions,
        emit: Emit<'_>,
    ) {
        let progress = look(self.slot).filter(|progress| progress.key == self.key);
        if progress.is_some_and(|progress| progress.lives) {
            self.lived = now;
        }
        let client = self.client.unwrap_or(Sender::A);
        for sender in [client, client.other()] {
            let since = self.streams.of(sender).open_since();
            if since.is_some_and(|since| self.head_due(since, options) <= now) {
                self.cut(sender, options, emit);
            }
        }
        self.release(emit);
        while self.pending.front().is_some_and(|front| front.due(self.lived, options) <= now) {
            if let Some(progress) = progress
                && self.goes_further(&progress, now, options)
            {
                return;
            }
            if let Some(pending) = self.pending.pop_front() {
                self.report(pending, emit);
            }
            self.release(emit);
        }
        if self.pending.is_empty() {
            // Answers that have not come by now will not come.
            self.owed = 0;
        }
    }

    /// Learns from the record what became of the oldest exchange; true where its response still comes.
    pub(super) fn goes_further(&mut self, progress: &Progress, now: u64, options: &HttpOptions) -> bool {
        self.count(progress.retransmits);
        let client = self.client.unwrap_or(Sender::A);
        let [sent, received] =
            [client, client.other()].map(|side| (self.streams.of(side).last, progress.sent(side)));
        let lived = self.lived;
        let Some(front) = self.pending.front_mut().filter(|front| front.response.is_some()) else {
            return false;
        };
        let number = front.number;
        let mut to_come = false;
        for ((last, (edge, time)), extent) in [(sent, &mut front.sent), (received, &mut front.received)] {
            if let Some(Last { end: Some(end), .. }) = last.filter(|last| last.number == number)
                && extent.ended.is_none()
            {
                if distance(end, edge) >= 0 {
                    extent.ended = Some(time);
                } else {
                    to_come = true;
                }
            }
        }
        if to_come && progress.lives {
            front.recheck = Some(now.saturating_add(SIZE_WAIT));
            return true;
        }
        let (Some(last), (edge, time)) = received else { return front.due(lived, options) > now };
        if last.number != number || last.end.is_some() || front.received.ended.is_some() {
            return front.due(lived, options) > now;
        }
        let began = front.response.as_ref().map_or(now, |(_, time)| *time);
        let quiet_at = time.saturating_add(SIZE_WAIT);
        let recheck = quiet_at.min(began.saturating_add(options.timeout));
        front.recheck = Some(recheck);
        if recheck > now {
            return true;
        }
        if quiet_at <= now && distance(last.start, edge) > 0 {
            front.received.bytes = Some(u64::from(edge.wrapping_sub(last.start)));
            front.received.ended = Some(time);
        }
        false
    }

    /// When [`Connection::expire`] has something to do; `None` while nothing is outstanding.
    pub(in crate::http) fn due(&self, options: &HttpOptions) -> Option<u64> {
        let head = self.streams.open_since().map(|since| self.head_due(since, options));
        head.into_iter().chain(self.pending.front().map(|front| front.due(self.lived, options))).min()
    }

    /// When a head that began at `since` is given up.
    fn head_due(&self, since: u64, options: &HttpOptions) -> u64 {
        since.max(self.lived).saturating_add(options.timeout)
    }

    /// When something of it expires next, where `last` is its last event: an exchange, else all of it.
    pub(in crate::http) fn next_due(&self, last: u64, options: &HttpOptions) -> u64 {
        self.due(options).unwrap_or_else(|| self.kept_until(last, options))
    }

    /// How long it is kept, where `last` is its last event.
    pub(in crate::http) fn kept_until(&self, last: u64, options: &HttpOptions) -> u64 {
        // A tunnel is remembered longer, lest what passes through it is logged.
        let patience = options.timeout.saturating_mul(if self.left_http { 10 } else { 1 });
        last.max(self.lived).saturating_add(patience)
    }

    pub(super) fn report(&self, pending: Pending, emit: Emit<'_>) {
        let client = self.client.unwrap_or(Sender::A);
        let uncopied = self.streams.of(client.other()).uncopied();
        let (key, slot, reset, retransmits) = (self.key, self.slot, self.reset, self.retransmits);
        emit(pending.into_exchange(&Context { key, slot, client, reset, uncopied, retransmits }));
    }
}
