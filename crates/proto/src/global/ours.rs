//! Our requests, and the replies that are due for them in the same order (RFC 4254 section 4).

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use underpass_wire::{GlobalRequest, GlobalRequestData, Number, RequestSuccess};

use super::forwards::Forwards;
use super::{RemoteBind, RequestId, RequestOutcome};
use crate::error::{Error, PeerMisbehaved};
use crate::event::Event;
use crate::limits::MAX_REQUESTS;
use crate::outbox::Outbox;

pub(crate) struct Requests {
    pub(crate) forwards: Forwards,
    /// Oldest first; a reply belongs to the first.
    due: VecDeque<Due>,
    next: u64,
    timeout: Duration,
}

/// A reply that is due.
#[derive(Debug)]
enum Due {
    /// For probes, sent one after another. Any reply shows that the peer lives.
    Probes {
        /// When the first was sent, until it is answered: tells how far away the peer is.
        sent: Option<Instant>,
        count: u32,
    },
    Request(Asked),
}

#[derive(Debug)]
struct Asked {
    id: RequestId,
    what: What,
    since: Instant,
    /// The application knows already. The reply keeps its place all the same.
    timed_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Forward,
    Cancel,
}

/// Probes remembered for the sake of their round trip. A peer that never answers them must not make us remember
/// each; further ones are only counted.
const MAX_PROBES: usize = 16;

impl Requests {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { forwards: Forwards::default(), due: VecDeque::new(), next: 0, timeout }
    }

    // ---- for the application ----

    /// Asks the server to listen; `None` when too many answers are due.
    pub(crate) fn forward(
        &mut self,
        bind: &RemoteBind,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<Option<RequestId>, Error> {
        let asked = self.ask(What::Forward, bind.listen(), out, now)?;
        if let Some(id) = asked {
            self.forwards.request(id, bind.clone());
        }
        Ok(asked)
    }

    /// Asks the server to listen no longer; `None` when it does not, or too many answers are due.
    pub(crate) fn cancel(
        &mut self,
        forward: RequestId,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<Option<RequestId>, Error> {
        if self.is_full() {
            return Ok(None);
        }
        let Some(bind) = self.forwards.remove_granted(forward) else { return Ok(None) };
        self.ask(What::Cancel, bind.cancel(), out, now)
    }

    /// Asks for a sign of life.
    pub(crate) fn probe(&mut self, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        let many = self.due.iter().filter(|due| matches!(due, Due::Probes { .. })).count() >= MAX_PROBES;
        match self.due.back_mut() {
            Some(Due::Probes { count, .. }) if many => *count = count.saturating_add(1),
            _ => self.due.push_back(Due::Probes { sent: Some(now), count: 1 }),
        }
        out.send(&GlobalRequest::new(true, GlobalRequestData::Keepalive))
    }

    fn ask(
        &mut self,
        what: What,
        data: GlobalRequestData<'_>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<Option<RequestId>, Error> {
        if self.is_full() {
            return Ok(None);
        }
        self.next += 1;
        let id = RequestId(self.next);
        self.due.push_back(Due::Request(Asked { id, what, since: now, timed_out: false }));
        out.watch_requests(now, self.timeout);
        out.send(&GlobalRequest::new(true, data))?;
        Ok(Some(id))
    }

    fn is_full(&self) -> bool {
        let requests = self.due.iter().filter(|due| matches!(due, Due::Request(_)));
        requests.count() >= MAX_REQUESTS
    }

    // ---- for the peer ----

    /// A reply, with its data if it is a success. One that nobody waits for is of no use and no harm.
    pub(crate) fn on_reply(
        &mut self,
        granted: Option<&RequestSuccess<'_>>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        if let Some(Due::Probes { sent, count }) = self.due.front_mut() {
            if let Some(sent) = sent.take() {
                out.sample_rtt(sent, now);
            }
            *count -= 1;
            if *count > 0 {
                return Ok(());
            }
        }
        match self.due.pop_front() {
            Some(Due::Request(asked)) => self.on_answer(&asked, granted, out),
            Some(Due::Probes { .. }) | None => Ok(()),
        }
    }

    fn on_answer(
        &mut self,
        asked: &Asked,
        granted: Option<&RequestSuccess<'_>>,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let outcome = match (asked.what, granted) {
            (What::Forward, Some(success)) => {
                let port = self.chosen_port(asked.id, success)?;
                if let Some(unwanted) = self.forwards.grant(asked.id, port) {
                    out.send(&GlobalRequest::new(false, unwanted.cancel()))?;
                }
                RequestOutcome::Granted { port }
            }
            (What::Forward, None) => {
                self.forwards.remove(asked.id);
                RequestOutcome::Refused
            }
            (What::Cancel, Some(_)) => RequestOutcome::Granted { port: None },
            (What::Cancel, None) => RequestOutcome::Refused,
        };
        if !asked.timed_out {
            out.tell(Event::RequestAnswered { request: asked.id, outcome });
        }
        Ok(())
    }

    /// The port that comes with the answer for port 0 and must be one. With other answers some servers send the port
    /// as well, where the RFC has nothing: it is not looked at.
    fn chosen_port(&self, id: RequestId, success: &RequestSuccess<'_>) -> Result<Option<NonZeroU16>, Error> {
        if !self.forwards.awaits_port(id) {
            return Ok(None);
        }
        let malformed = |error| PeerMisbehaved::Message { number: Number::REQUEST_SUCCESS, error };
        let port = success.allocated_port().map_err(malformed)?;
        let usable = u16::try_from(port).ok().and_then(NonZeroU16::new);
        usable.ok_or_else(|| PeerMisbehaved::ImpossiblePort(port).into()).map(Some)
    }

    // ---- deadlines ----

    /// Tells the application what was not answered in time, and gives when the next one is due.
    pub(crate) fn on_timeout(&mut self, out: &mut Outbox, now: Instant) -> Option<Instant> {
        for due in &mut self.due {
            let Due::Request(asked) = due else { continue };
            if asked.timed_out {
                continue;
            }
            let end = asked.since.checked_add(self.timeout)?;
            if end > now {
                return Some(end);
            }
            asked.timed_out = true;
            if asked.what == What::Forward {
                self.forwards.abandon(asked.id);
            }
            out.tell(Event::RequestAnswered { request: asked.id, outcome: RequestOutcome::Timeout });
        }
        None
    }
}
