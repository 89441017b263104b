//! The peer's requests, and the replies that we owe in the same order (RFC 4254 section 4).
//!
//! What the application decides about takes its time. Whatever is asked behind it waits for its reply, however soon
//! that is known.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use underpass_wire::{GlobalRequest, GlobalRequestData, Put as _, RequestFailure, RequestSuccess};

use super::{ForwardVerdict, RemoteBind};
use crate::error::{Error, PeerMisbehaved};
use crate::event::{Question, QuestionId};
use crate::limits::{MAX_OWED_REFUSALS, MAX_REQUESTS};
use crate::outbox::Outbox;
use crate::role::Role;

pub(crate) struct Served {
    role: Role,
    /// Oldest first. Empty when everything is answered.
    owed: VecDeque<Owed>,
    /// Refusals among those, which are only counted.
    refusals: u32,
    timeout: Duration,
}

/// A reply that the application decides about, and the refusals directly behind it.
#[derive(Debug)]
struct Owed {
    question: QuestionId,
    since: Instant,
    /// Requests that want none are decided about all the same.
    want_reply: bool,
    /// The reply must name a port.
    open_port: bool,
    verdict: Option<ForwardVerdict>,
    refusals: u32,
}

impl Served {
    pub(crate) fn new(role: Role, timeout: Duration) -> Self {
        Self { role, owed: VecDeque::new(), refusals: 0, timeout }
    }

    /// The peer asks for something.
    pub(crate) fn on_request(
        &mut self,
        request: &GlobalRequest<'_>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<(), Error> {
        // RFC 4254 section 7.1: only servers listen.
        let question = if self.role == Role::Server { question(&request.data) } else { None };
        let Some((question, open_port)) = question.filter(|_| self.owed.len() < MAX_REQUESTS) else {
            return if request.want_reply { self.refuse(out) } else { Ok(()) };
        };
        self.owed.push_back(Owed {
            question: out.ask(question),
            since: now,
            want_reply: request.want_reply,
            open_port,
            verdict: None,
            refusals: 0,
        });
        out.watch_requests(now, self.timeout);
        Ok(())
    }

    /// Refuses at once, or in its turn.
    fn refuse(&mut self, out: &mut Outbox) -> Result<(), Error> {
        let Some(last) = self.owed.back_mut() else { return out.send(&RequestFailure) };
        if self.refusals >= MAX_OWED_REFUSALS {
            return Err(PeerMisbehaved::DoesNotRead.into());
        }
        last.refusals += 1;
        self.refusals += 1;
        Ok(())
    }

    /// The application's decision; `None` when it was not asked, waited too long, or left out the port.
    pub(crate) fn on_verdict(
        &mut self,
        question: QuestionId,
        verdict: ForwardVerdict,
        out: &mut Outbox,
    ) -> Option<Result<(), Error>> {
        let owed = self.owed.iter_mut().find(|owed| owed.question == question)?;
        let lacks_port = owed.open_port && verdict == ForwardVerdict::Granted { port: None };
        if owed.verdict.is_some() || lacks_port {
            return None;
        }
        owed.verdict = Some(verdict);
        Some(self.send_decided(out))
    }

    /// Refuses what was not decided in time, and gives when the next decision is due.
    pub(crate) fn on_timeout(&mut self, out: &mut Outbox, now: Instant) -> Result<Option<Instant>, Error> {
        let mut next = None;
        for owed in self.owed.iter_mut().filter(|owed| owed.verdict.is_none()) {
            next = owed.since.checked_add(self.timeout);
            if next.is_none_or(|end| end > now) {
                break;
            }
            owed.verdict = Some(ForwardVerdict::Refused);
            next = None;
        }
        self.send_decided(out)?;
        Ok(next)
    }

    /// Sends what waits for no decision any more.
    fn send_decided(&mut self, out: &mut Outbox) -> Result<(), Error> {
        while let Some(owed) = self.owed.front()
            && let Some(verdict) = owed.verdict
        {
            let (refusals, open_port, want_reply) = (owed.refusals, owed.open_port, owed.want_reply);
            self.owed.pop_front();
            self.refusals -= refusals;
            if want_reply {
                reply(verdict, open_port, out)?;
            }
            for _ in 0..refusals {
                out.send(&RequestFailure)?;
            }
        }
        Ok(())
    }
}

/// What the application is asked, and whether a grant must name a port; `None` for what is always refused.
fn question(request: &GlobalRequestData<'_>) -> Option<(Question, bool)> {
    use GlobalRequestData as Data;
    let bind = match *request {
        Data::TcpipForward { address, port } | Data::CancelTcpipForward { address, port } => {
            RemoteBind::tcp(address, port)?
        }
        Data::StreamlocalForward { path } | Data::CancelStreamlocalForward { path } => {
            RemoteBind::unix(path)?
        }
        _ => return None,
    };
    match request {
        Data::TcpipForward { .. } | Data::StreamlocalForward { .. } => {
            let open_port = bind.is_open_port();
            Some((Question::Forward(bind), open_port))
        }
        _ => Some((Question::CancelForward(bind), false)),
    }
}

/// RFC 4254 section 7.1: the port is in the reply where it was left to us, and nowhere else.
fn reply(verdict: ForwardVerdict, open_port: bool, out: &mut Outbox) -> Result<(), Error> {
    match verdict {
        ForwardVerdict::Granted { port } => {
            let mut data = Vec::new();
            if let Some(port) = port.filter(|_| open_port) {
                data.put_u32(port.get().into());
            }
            out.send(&RequestSuccess { data: &data })
        }
        ForwardVerdict::Refused => out.send(&RequestFailure),
    }
}
