//! The proxy's side: a client asks for a connection.

mod access;
mod http;
mod outcome;
mod refused;
mod socks4;
mod socks5;
#[cfg(test)]
mod tests;

use std::fmt;

pub use access::Access;
pub use outcome::Outcome;
pub use refused::Refused;

use crate::buffer::Buffer;
use crate::head;
use crate::reader::{Reader, Stop};
use crate::target::Target;

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// SOCKS 4: IPv4 addresses only.
    Socks4,
    /// SOCKS 4a: SOCKS 4 with a name.
    Socks4a,
    /// SOCKS 5 (RFC 1928).
    Socks5,
    /// CONNECT of HTTP/1 (RFC 9110 section 9.3.6).
    HttpConnect,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socks4 => "SOCKS 4",
            Self::Socks4a => "SOCKS 4a",
            Self::Socks5 => "SOCKS 5",
            Self::HttpConnect => "HTTP CONNECT",
        })
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where it wants to go. Names are as the client gave them, unresolved.
    pub target: Target,
    /// How it asked.
    pub protocol: Protocol,
    /// Who it is. Proven where accounts are required; otherwise at most the user id of SOCKS 4, which anybody
    /// can claim, as it came: escape it before showing it.
    pub user: Option<String>,
}

/// How far a handshake has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It needs more bytes. Something may have to be transmitted first.
    More,
    /// The request is complete and waits for its answer.
    Asked(Request),
}

/// The handshake with one client. Which protocol it speaks is told from its first byte.
///
/// 1. [`receive`](Self::receive) takes what the client sends, in any portions.
/// 2. After each call, also after one that failed, write what [`transmit`](Self::transmit) lends, and report it
///    with [`transmitted`](Self::transmitted).
/// 3. After [`Progress::Asked`] connect to the target, [`take_early`](Self::take_early), then write what
///    [`answer`](Self::answer) returns. The connection is the client's from then on, or it is closed.
/// 4. After an error write, then close. A client may have sent more than was read; reading that first keeps the
///    system from throwing the explanation away.
///
/// It sets no deadline: a client that stalls, or closes, is the caller's to notice.
///
/// ```
/// use underpass_proxy::{Acceptor, AcceptorProgress, Access, Outcome};
///
/// let mut acceptor = Acceptor::new(Access::Anyone);
/// let AcceptorProgress::Asked(request) = acceptor.receive(b"CONNECT db.example:5432 HTTP/1.1\r\n\r\n")? else {
///     unreachable!("the request is complete");
/// };
/// assert_eq!(request.target.to_string(), "db.example:5432");
/// assert!(acceptor.answer(Outcome::Connected).starts_with(b"HTTP/1.1 200 "));
/// # Ok::<(), underpass_proxy::Refused>(())
/// ```
pub struct Acceptor {
    access: Access,
    state: State,
    incoming: Buffer,
    outgoing: Buffer,
}

/// ```text
/// Start ──4──▶ Socks4 ────────────────────────────────────────┐
///   ├────5──▶ Greeting ──▶ Credentials ──▶ Socks5Request ─────┼──▶ Asked
///   │             └────────────────────────▲                  │
///   └─letter▶ Http ───────────────────────────────────────────┘
/// ```
/// Every state but `Asked` may end in `Refused`.
enum State {
    Start,
    Socks4,
    /// The SOCKS 5 methods that the client offers.
    Greeting,
    /// RFC 1929.
    Credentials,
    Socks5Request {
        user: Option<String>,
    },
    Http,
    Asked(Protocol),
    Refused(Refused),
}

impl Acceptor {
    /// Waits for a client that has to be one of those that `access` admits.
    pub fn new(access: Access) -> Self {
        Self { access, state: State::Start, incoming: Buffer::default(), outgoing: Buffer::default() }
    }

    /// Takes what the client sent.
    ///
    /// Errors are final, and every later call returns the same one. After [`Progress::Asked`] nothing is taken
    /// any more, and the error is [`Refused::AlreadyAsked`].
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Progress, Refused> {
        match &self.state {
            State::Asked(_) => return Err(Refused::AlreadyAsked),
            State::Refused(refused) => return Err(refused.clone()),
            _ => self.incoming.push(bytes),
        }
        // Reading a head again for each of its bytes would be work without a result.
        let is_idle = matches!(self.state, State::Http) && !bytes.contains(&b'\n');
        if is_idle && !head::is_too_long(self.incoming.rest()) {
            return Ok(Progress::More);
        }
        loop {
            match self.step() {
                Ok(None) => {}
                Ok(Some(request)) => return Ok(Progress::Asked(request)),
                Err(Stop::More) => return Ok(Progress::More),
                Err(Stop::Failed(refused)) => {
                    self.outgoing.push(&refused.farewell());
                    self.incoming.clear();
                    self.state = State::Refused(refused.clone());
                    return Err(refused);
                }
            }
        }
    }

    /// Bytes to write to the client.
    pub fn transmit(&self) -> &[u8] {
        self.outgoing.rest()
    }

    /// Reports that the first `n` of these bytes were written.
    pub fn transmitted(&mut self, n: usize) {
        self.outgoing.advance(n);
    }

    /// Payload that the client sent right behind its request: at most what the last call of
    /// [`receive`](Self::receive) brought. It goes to the target first.
    pub fn early(&self) -> &[u8] {
        match self.state {
            State::Asked(_) => self.incoming.rest(),
            _ => &[],
        }
    }

    /// The same, handed over.
    pub fn take_early(&mut self) -> Vec<u8> {
        match self.state {
            State::Asked(_) => self.incoming.take_rest(),
            _ => Vec::new(),
        }
    }

    /// Ends the handshake: the bytes to write to the client, what was not transmitted yet included. Without a
    /// request there is nothing to answer, and `outcome` is not told.
    pub fn answer(mut self, outcome: Outcome) -> Vec<u8> {
        if let State::Asked(protocol) = self.state {
            self.outgoing.push(&outcome.reply(protocol));
        }
        self.outgoing.take_rest()
    }

    /// Reads one message, if it is complete.
    fn step(&mut self) -> Result<Option<Request>, Stop<Refused>> {
        let mut reader = Reader::new(self.incoming.rest());
        let step = match &mut self.state {
            // The first byte belongs to the message.
            State::Start => Step::Next(start(reader.peek()?)?),
            State::Socks4 => Step::Done(socks4::request(&mut reader, &self.access)?),
            State::Http => Step::Done(http::request(&mut reader, &self.access)?),
            State::Greeting => {
                let method = socks5::greeting(&mut reader, &self.access)?;
                let next = match method {
                    socks5::Method::None => State::Socks5Request { user: None },
                    socks5::Method::Credentials => State::Credentials,
                };
                Step::Reply(method.selection(), next)
            }
            State::Credentials => {
                let user = socks5::credentials(&mut reader, &self.access)?;
                Step::Reply(socks5::ADMITTED, State::Socks5Request { user: Some(user) })
            }
            State::Socks5Request { user } => {
                let target = socks5::request(&mut reader)?;
                Step::Done(Request { target, protocol: Protocol::Socks5, user: user.take() })
            }
            State::Asked(_) | State::Refused(_) => return Err(Stop::More),
        };
        let consumed = reader.consumed();
        self.incoming.advance(consumed);
        match step {
            Step::Next(next) => self.state = next,
            Step::Reply(reply, next) => {
                self.outgoing.push(&reply);
                self.state = next;
            }
            Step::Done(request) => {
                self.state = State::Asked(request.protocol);
                return Ok(Some(request));
            }
        }
        Ok(None)
    }
}

/// What follows from a message.
enum Step {
    Next(State),
    /// The client is waiting for these bytes.
    Reply([u8; 2], State),
    Done(Request),
}

fn start(first: u8) -> Result<State, Refused> {
    match first {
        socks4::VERSION => Ok(State::Socks4),
        socks5::VERSION => Ok(State::Greeting),
        letter if letter.is_ascii_alphabetic() => Ok(State::Http),
        _ => Err(Refused::UnknownProtocol { first }),
    }
}

/// Without the bytes, among which may be a password.
impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("access", &self.access).finish_non_exhaustive()
    }
}
