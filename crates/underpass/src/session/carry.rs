//! What a session is told to carry, and who wants to hear how that went.

use std::future::pending;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use underpass_proto::{Answer, ChannelId, QuestionId, Refusal, RemoteBind};
use underpass_proxy::{Acceptor, Outcome};

use super::{Socket, Steered};
use crate::{End, Endpoint, Error, ForwardId, Peer};

/// What a session is told from outside.
pub(crate) enum Command {
    /// Carry this connection to a target.
    Carry(Box<Carry>),
    /// Answer one of the engine's questions.
    Answer(QuestionId, Answer),
    /// Accept the channel of a question and connect it to this socket.
    Attach(QuestionId, ChannelId, Box<Carry>),
    /// Have the peer listen.
    Listen(ForwardId, RemoteBind),
    /// Have it stop listening.
    Unlisten(ForwardId),
    /// End with a dead peer unless something comes within this time.
    Probe(Duration),
    /// Log on, if that was to wait.
    LogOn,
    /// Agree on new keys.
    Rekey,
    /// Let windows grow up to so many bytes.
    MaxWindow(u32),
    /// Take no more connections; end when there are none, or at this time.
    Drain(Instant),
    /// End now.
    Cut,
}

/// A local connection and where it goes.
pub(crate) struct Carry {
    pub(crate) socket: Socket,
    pub(crate) info: ConnectionInfo,
    /// Who wants to know whether the target was reached.
    pub(crate) asker: Asker,
    /// Bytes that were read from the socket and are to be carried before all others.
    pub(crate) early: Vec<u8>,
    /// What it takes up of the number of connections that are allowed; given back when it is dropped.
    pub(crate) place: Option<OwnedSemaphorePermit>,
    /// The reins, if a program holds them.
    pub(crate) steered: Option<Steered>,
}

impl Carry {
    /// A connection that nobody counts or asks about.
    pub(crate) fn plain(socket: Socket, info: ConnectionInfo) -> Self {
        Self { socket, info, asker: Asker::Nobody, early: Vec::new(), place: None, steered: None }
    }

    /// Whether the program that steers it does not want it any more.
    pub(crate) fn is_withdrawn(&self) -> bool {
        self.steered.as_ref().is_some_and(|steered| steered.is_closing())
    }

    /// Until it is withdrawn.
    pub(crate) fn withdrawn(&self) -> impl Future<Output = ()> + use<> {
        let reins = self.steered.as_ref().map(Steered::reins);
        async move {
            match reins {
                Some(reins) => reins.closing().await,
                None => pending().await,
            }
        }
    }

    /// Tells a program that steers it why it is not carried.
    pub(crate) fn give_up(self, error: Error) {
        if let Some(steered) = self.steered {
            steered.over(End::Unreached(error));
        }
    }
}

/// What there is to say about a forwarded connection.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionInfo {
    pub(crate) id: u64,
    pub(crate) peer: Peer,
    pub(crate) target: Endpoint,
    /// When it came.
    pub(crate) since: Instant,
}

/// Who wants to know whether a target was reached.
pub(crate) enum Asker {
    /// Nobody: a connection that does not reach it is reset.
    Nobody,
    /// A client of the proxy protocols, in their words.
    Proxy(Box<Acceptor>),
    /// The program.
    Program(oneshot::Sender<Result<(), Error>>),
}

/// Why a connection did not reach its target.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The peer refused it, or did not answer.
    Refused(Refusal),
    /// There are too many.
    TooMany,
    /// The program does not want it any more.
    Withdrawn,
    /// The SSH connection ended first.
    Ended(underpass_proto::Error),
}

impl Asker {
    /// The target is reached. Gives what the client is to read before anything else.
    pub(super) fn reached(self) -> Vec<u8> {
        match self {
            Self::Nobody => Vec::new(),
            Self::Proxy(acceptor) => acceptor.answer(Outcome::Connected),
            Self::Program(waiter) => {
                // Nobody waits any more: the socket that was dropped with it ends the connection.
                let _ = waiter.send(Ok(()));
                Vec::new()
            }
        }
    }
}
