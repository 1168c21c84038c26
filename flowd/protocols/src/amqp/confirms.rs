//! Publisher confirms: which `basic.publish` a server's `basic.ack` answers (RabbitMQ's extension).

use std::collections::VecDeque;

use crate::conversation::{Status, Talk, Ticket};

/// Channels with confirms, and messages that wait on one connection.
const CHANNELS: usize = 256;
const MESSAGES: usize = 2_048;

/// A message that waits.
#[derive(Debug)]
struct Message {
    channel: u16,
    tag: u64,
    ticket: Ticket,
}

/// Messages that wait for being confirmed, on all channels of a connection.
#[derive(Debug, Default)]
pub(super) struct Confirms {
    /// Channels that have confirms, and the last tag of each: messages are counted from 1.
    channels: Vec<(u16, u64)>,
    /// In the order in which they were published.
    messages: VecDeque<Message>,
}

impl Confirms {
    /// `channel` has confirms from here on.
    pub(super) fn select(&mut self, channel: u16) {
        if !self.has(channel) && self.channels.len() < CHANNELS {
            self.channels.push((channel, 0));
        }
    }

    /// Whether messages on `channel` are answered.
    pub(super) fn has(&self, channel: u16) -> bool {
        self.channels.iter().any(|(selected, _)| *selected == channel)
    }

    /// `ticket` was published on `channel`, which has confirms.
    pub(super) fn publish(&mut self, channel: u16, ticket: Ticket, talk: &mut Talk<'_>) {
        let Some((_, last)) = self.channels.iter_mut().find(|(selected, _)| *selected == channel) else {
            return;
        };
        *last += 1;
        let tag = *last;
        if self.messages.len() >= MESSAGES
            && let Some(oldest) = self.messages.pop_front()
        {
            talk.abandon(oldest.ticket);
        }
        self.messages.push_back(Message { channel, tag, ticket });
    }

    /// A server has confirmed the message of this tag, and with `multiple` all before it; tag 0 means all.
    pub(super) fn confirm(
        &mut self,
        channel: u16,
        tag: u64,
        multiple: bool,
        status: &Status,
        talk: &mut Talk<'_>,
    ) {
        let meant = |message: &Message| {
            message.channel == channel && (message.tag == tag || multiple && (message.tag < tag || tag == 0))
        };
        if let Some(first) = self.messages.front()
            && !multiple
            && meant(first)
        {
            talk.close(first.ticket, status.clone());
            self.messages.pop_front();
            return;
        }
        self.messages.retain(|message| {
            let meant = meant(message);
            if meant {
                talk.close(message.ticket, status.clone());
            }
            !meant
        });
    }

    /// `channel` is closed; where a single message waits on it, that one is `failed`.
    pub(super) fn close(&mut self, channel: u16, failed: Option<&Status>, talk: &mut Talk<'_>) {
        self.channels.retain(|(selected, _)| *selected != channel);
        let one = self.messages.iter().filter(|message| message.channel == channel).count() == 1;
        self.messages.retain(|message| {
            if message.channel != channel {
                return true;
            }
            match failed {
                Some(status) if one => talk.close(message.ticket, status.clone()),
                _ => talk.abandon(message.ticket),
            }
            false
        });
    }

    /// What was published may be missing: nobody knows the tags of what follows.
    pub(super) fn lose_count(&mut self) {
        self.channels.clear();
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.channels.capacity() * size_of::<(u16, u64)>() + self.messages.capacity() * size_of::<Message>()
    }
}
