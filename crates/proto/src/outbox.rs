//! What every sub-machine needs to act: a place for messages, events, questions and timers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use underpass_crypto::packet::{Opener, Sealer};
use underpass_crypto::{Compression, Entropy};
use underpass_wire::Encode;

use crate::error::Error;
use crate::event::{Event, Question, QuestionId};
use crate::timer::{Timer, Timers};
use crate::trace::Trace;
use crate::transport::transmit::Transmit;

pub(crate) struct Outbox {
    pub(crate) tx: Transmit,
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) timers: Timers,
    events: VecDeque<Event>,
    questions: u64,
    /// Keys for the packets that follow the peer's NEWKEYS.
    pub(crate) opener: Option<NewOpener>,
    /// The shortest round trip seen, server's work included.
    rtt: Option<Duration>,
}

pub(crate) struct NewOpener {
    pub(crate) opener: Opener,
    pub(crate) restart_sequence: bool,
    pub(crate) compression: &'static Compression,
}

impl Outbox {
    pub(crate) fn new(entropy: Box<dyn Entropy>, trace: Trace) -> Self {
        Self {
            tx: Transmit::new(trace),
            entropy,
            timers: Timers::default(),
            events: VecDeque::new(),
            questions: 0,
            opener: None,
            rtt: None,
        }
    }

    pub(crate) fn send(&mut self, message: &impl Encode) -> Result<(), Error> {
        self.tx.send(message, self.entropy.as_mut())
    }

    pub(crate) fn send_payload(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.tx.send_payload(payload, self.entropy.as_mut())
    }

    pub(crate) fn rekey(&mut self, sealer: Sealer, restart_sequence: bool, compression: &Compression) {
        self.tx.rekey(sealer, restart_sequence, compression, self.entropy.as_mut());
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(crate) fn ask(&mut self, question: Question) -> QuestionId {
        let id = self.next_question();
        self.tell(Event::Question(id, question));
        id
    }

    /// A new name for a question that is asked by the caller.
    pub(crate) fn next_question(&mut self) -> QuestionId {
        self.questions += 1;
        QuestionId(self.questions)
    }

    /// A request is out, from either side, that must be answered within `timeout`.
    pub(crate) fn watch_requests(&mut self, now: Instant, timeout: Duration) {
        // An older one is due earlier.
        if !self.timers.is_set(Timer::Request) {
            self.timers.set_after(Timer::Request, now, Some(timeout));
        }
    }

    pub(crate) fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() && self.events.capacity() > 64 {
            self.events = VecDeque::new();
        }
        event
    }

    /// A message sent at `sent` was answered at `now`.
    pub(crate) fn sample_rtt(&mut self, sent: Instant, now: Instant) {
        let sample = now.saturating_duration_since(sent);
        self.rtt = Some(self.rtt.map_or(sample, |rtt| rtt.min(sample)));
    }

    /// The round-trip time to the peer, as far as known.
    pub(crate) fn rtt(&self) -> Duration {
        self.rtt.unwrap_or_default()
    }
}
