//! One side of a pair: an engine and who uses it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::time::Instant;

use underpass_proto::{
    Answer, ChannelId, ChannelKind, Connection, Error, Event, Negotiated, Question, QuestionId, RequestId,
    RequestOutcome,
};
use underpass_wire::OpenFailureReason;

use super::work::{Job, Report, Worker};

/// Events remembered for the description of a failure.
const JOURNAL: usize = 24;

/// Decides about questions; `None` leaves one open.
type Answers = Box<dyn FnMut(&Question) -> Option<Answer>>;

/// One side.
pub struct End {
    /// The engine.
    pub connection: Connection,
    /// Whether the user is logged on.
    pub authenticated: bool,
    /// How the connection ended.
    pub closed: Option<Error>,
    /// What the key exchanges agreed on, in order.
    pub exchanges: Vec<Negotiated>,
    /// What became of requests about remote forwards.
    pub outcomes: BTreeMap<RequestId, RequestOutcome>,
    /// Banners that came.
    pub banners: Vec<Vec<u8>>,
    /// Every question, in order, answered or not.
    pub questions: Vec<Question>,
    /// Questions that were not answered.
    pub unanswered: VecDeque<(QuestionId, Question)>,
    /// What this side does on the channels that the peer opens: the host, address or path that is named is an index.
    pub jobs: Vec<Job>,
    /// Channels that were accepted, by the index of their job.
    pub accepted: BTreeMap<usize, ChannelId>,
    /// How the channels fared that are over.
    pub reports: BTreeMap<ChannelId, Report>,
    pub(super) heard_end: bool,
    answers: Answers,
    workers: BTreeMap<ChannelId, Worker>,
    ready: VecDeque<ChannelId>,
    journal: VecDeque<Event>,
}

impl End {
    pub(super) fn new(
        connection: Connection,
        answers: impl FnMut(&Question) -> Option<Answer> + 'static,
    ) -> Self {
        Self {
            connection,
            authenticated: false,
            closed: None,
            exchanges: Vec::new(),
            outcomes: BTreeMap::new(),
            banners: Vec::new(),
            questions: Vec::new(),
            unanswered: VecDeque::new(),
            jobs: Vec::new(),
            accepted: BTreeMap::new(),
            reports: BTreeMap::new(),
            heard_end: false,
            answers: Box::new(answers),
            workers: BTreeMap::new(),
            ready: VecDeque::new(),
            journal: VecDeque::new(),
        }
    }

    /// Answers from now on; `None` leaves a question open, but for channels, which are accepted if they have a job.
    pub fn answer_with(&mut self, answers: impl FnMut(&Question) -> Option<Answer> + 'static) {
        self.answers = Box::new(answers);
    }

    /// How a channel fares or fared.
    pub fn report(&self, id: ChannelId) -> Report {
        let worker = self.workers.get(&id).map(|worker| &worker.report);
        worker.or_else(|| self.reports.get(&id)).cloned().unwrap_or_default()
    }

    /// Bytes that have come on a channel and are not consumed.
    pub fn held(&self, id: ChannelId) -> usize {
        self.connection.chunks(id).map(<[u8]>::len).sum()
    }

    /// Bytes that have come on any channel and are not consumed.
    pub fn held_in_all(&self) -> usize {
        self.workers.keys().map(|id| self.held(*id)).sum()
    }

    /// Whether there is no channel and no news of one.
    pub fn is_idle(&self) -> bool {
        self.workers.is_empty() && self.connection.channel_count() == 0
    }

    /// Closes a channel, whatever its worker would do.
    pub fn abandon(&mut self, id: ChannelId, now: Instant) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.release(id, &mut self.connection, now);
            self.finish_if_done(id);
        }
    }

    pub(super) fn add_worker(&mut self, id: ChannelId, job: Job) {
        self.workers.insert(id, Worker::new(job));
    }

    /// Takes all events and gives every worker that is ready a turn. False if there was nothing to do.
    pub(super) fn work(&mut self, now: Instant) -> bool {
        let mut moved = self.take_events(now);
        for _ in 0..self.ready.len() {
            let Some(id) = self.ready.pop_front() else { break };
            let Some(worker) = self.workers.get_mut(&id) else { continue };
            moved |= worker.turn(id, &mut self.connection, now);
            if worker.is_ready() {
                self.ready.push_back(id);
            }
            self.finish_if_done(id);
            moved |= self.take_events(now);
        }
        moved
    }

    fn take_events(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(event) = self.connection.poll_event() {
            moved = true;
            self.note(&event);
            assert!(self.closed.is_none(), "{event:?} came after the end");
            self.on_event(event, now);
        }
        moved
    }

    fn on_event(&mut self, event: Event, now: Instant) {
        match event {
            Event::Authenticated => self.authenticated = true,
            Event::KeysExchanged { negotiated, rekey, .. } => {
                assert_eq!(
                    rekey,
                    !self.exchanges.is_empty(),
                    "only the first key exchange is not a later one"
                );
                self.exchanges.push(*negotiated);
            }
            Event::Banner(text) => self.banners.push(text),
            Event::Question(id, question) => self.on_question(id, question, now),
            Event::ChannelOpened(id) => self.wake(id, |worker| {
                worker.may_send = true;
            }),
            Event::Readable(id) => self.wake(id, |worker| worker.may_take = true),
            Event::Writable(id) => self.wake(id, |worker| worker.may_send = true),
            Event::ChannelClosed(id) => {
                self.wake(id, Worker::note_closed);
                self.finish_if_done(id);
            }
            Event::ChannelRefused { channel, refusal } => {
                if let Some(mut worker) = self.workers.remove(&channel) {
                    worker.report.refused = Some(refusal);
                    self.reports.insert(channel, worker.report);
                }
            }
            Event::RequestAnswered { request, outcome } => {
                assert_eq!(self.outcomes.insert(request, outcome), None, "a request has one outcome");
            }
            Event::Closed(error) => self.closed = Some(error),
            _ => {}
        }
    }

    fn on_question(&mut self, id: QuestionId, question: Question, now: Instant) {
        self.questions.push(question.clone());
        let answer = (self.answers)(&question).or_else(|| self.open_answer(&question));
        match answer {
            Some(answer) => {
                assert!(self.connection.answer(id, answer, now), "the question was just asked: {question:?}");
            }
            None => self.unanswered.push_back((id, question)),
        }
    }

    fn open_answer(&mut self, question: &Question) -> Option<Answer> {
        let Question::OpenChannel { channel, kind } = question else { return None };
        let index = name_of(kind)?.parse::<usize>().ok();
        let Some((index, job)) = index.and_then(|index| Some((index, *self.jobs.get(index)?))) else {
            return Some(Answer::Open(Err(OpenFailureReason::CONNECT_FAILED)));
        };
        self.accepted.insert(index, *channel);
        self.add_worker(*channel, job);
        self.wake(*channel, |worker| worker.may_send = true);
        Some(Answer::Open(Ok(())))
    }

    fn wake(&mut self, id: ChannelId, how: impl FnOnce(&mut Worker)) {
        if let Some(worker) = self.workers.get_mut(&id) {
            if !worker.is_ready() {
                self.ready.push_back(id);
            }
            how(worker);
        }
    }

    fn finish_if_done(&mut self, id: ChannelId) {
        if self.workers.get(&id).is_some_and(Worker::is_done)
            && let Some(worker) = self.workers.remove(&id)
        {
            self.reports.insert(id, worker.report);
        }
    }

    fn note(&mut self, event: &Event) {
        if self.journal.len() == JOURNAL {
            self.journal.pop_front();
        }
        self.journal.push_back(event.clone());
    }

    pub(super) fn describe(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "  {} channels, {} questions open, closed: {:?}",
            self.connection.channel_count(),
            self.unanswered.len(),
            self.closed
        );
        for event in &self.journal {
            let event: String = format!("{event:?}").chars().take(200).collect();
            let _ = writeln!(text, "  {event}");
        }
        for (id, worker) in self.workers.iter().take(20) {
            let _ = writeln!(
                text,
                "  {id:?}: {:?}, {:?}, {} bytes held",
                self.connection.receiving(*id),
                worker,
                self.held(*id)
            );
        }
    }
}

/// What a channel names as its target.
fn name_of(kind: &ChannelKind) -> Option<&str> {
    match kind {
        ChannelKind::DirectTcpip { host, .. } => Some(host),
        ChannelKind::ForwardedTcpip { address, .. } => Some(address),
        ChannelKind::DirectStreamlocal { path } | ChannelKind::ForwardedStreamlocal { path, .. } => {
            std::str::from_utf8(path).ok()
        }
        _ => None,
    }
}
