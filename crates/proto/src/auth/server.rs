//! The server's half of authentication.
//!
//! One request is decided at a time (RFC 4252 section 5.1); while the application decides, later packets wait in the
//! receive buffer.

use underpass_crypto::{Secret, Signature};
use underpass_wire::{
    AuthMethod, DecodeError, List, Message, NameList, Number, Prompt as WirePrompt, ServiceAccept,
    UserauthFailure, UserauthInfoRequest, UserauthMethod, UserauthPasswdChangereq, UserauthPkOk,
    UserauthRequest, UserauthSuccess,
};

use super::{CONNECTION, Progress, USERAUTH};
use crate::error::{AuthenticationFailed, Error, PeerMisbehaved};
use crate::event::{Attempt, HostClaim, Prompts, Question, QuestionId, Verdict};
use crate::limits::{MAX_AUTH_REQUESTS, MAX_AUTH_ROUNDS};
use crate::outbox::Outbox;

pub(crate) struct ServerAuth {
    session_id: Vec<u8>,
    /// Signature algorithms that we verify.
    algorithms: Vec<&'static Signature>,
    state: State,
    requests: u32,
}

enum State {
    /// The client has not asked for the service.
    Service,
    /// The client's turn.
    Ready,
    /// The application decides.
    Deciding(QuestionId, Pending),
    /// The client answers our prompts, the n-th round of them.
    Prompted { user: String, rounds: u32 },
}

/// What the application decides about.
enum Pending {
    None,
    /// Cannot be accepted, but only the application knows which methods to name instead.
    Unusable,
    Password,
    Query {
        key: Vec<u8>,
        algorithm: String,
    },
    Key,
    Keyboard {
        user: String,
        rounds: u32,
    },
}

impl ServerAuth {
    pub(crate) fn new(session_id: &[u8], algorithms: Vec<&'static Signature>) -> Self {
        Self { session_id: session_id.to_vec(), algorithms, state: State::Service, requests: 0 }
    }

    /// What the message numbers 60 to 79 mean now.
    pub(crate) fn method(&self) -> Option<AuthMethod> {
        matches!(self.state, State::Prompted { .. }).then_some(AuthMethod::KeyboardInteractive)
    }

    /// Whether the service has been asked for.
    pub(crate) fn has_service(&self) -> bool {
        !matches!(self.state, State::Service)
    }

    /// Whether later packets have to wait.
    pub(crate) fn is_deciding(&self) -> bool {
        matches!(self.state, State::Deciding(..))
    }

    pub(crate) fn on_message(&mut self, message: &Message<'_>, out: &mut Outbox) -> Result<(), Error> {
        match message {
            Message::ServiceRequest(request) if request.name == USERAUTH => {
                if !self.has_service() {
                    self.state = State::Ready;
                }
                out.send(&ServiceAccept { name: USERAUTH })
            }
            Message::ServiceRequest(_) => Err(PeerMisbehaved::WrongService.into()),
            Message::UserauthRequest(request) => self.on_request(request, out),
            Message::UserauthInfoResponse(response) => {
                let State::Prompted { user, rounds } = &self.state else {
                    return Err(unexpected(Number::USERAUTH_INFO_RESPONSE));
                };
                let (user, rounds) = (user.clone(), *rounds);
                let responses = response.responses.iter().map(|response| Secret::new(response.0)).collect();
                self.ask(
                    user.clone(),
                    Attempt::Responses(responses),
                    Pending::Keyboard { user, rounds },
                    out,
                );
                Ok(())
            }
            other => Err(unexpected(other.number())),
        }
    }

    /// Takes the application's verdict; `None` when the question is not ours any more.
    pub(crate) fn on_verdict(
        &mut self,
        id: QuestionId,
        verdict: Verdict,
        out: &mut Outbox,
    ) -> Option<Result<Progress, Error>> {
        match &self.state {
            State::Deciding(question, _) if *question == id => {}
            _ => return None,
        }
        let State::Deciding(_, pending) = std::mem::replace(&mut self.state, State::Ready) else {
            return None;
        };
        Some(self.carry_out(pending, verdict, out))
    }

    fn on_request(&mut self, request: &UserauthRequest<'_>, out: &mut Outbox) -> Result<(), Error> {
        self.requests += 1;
        if self.requests > MAX_AUTH_REQUESTS {
            return Err(Error::Authentication(AuthenticationFailed::TooManyRequests));
        }
        if request.service != CONNECTION {
            return Err(PeerMisbehaved::WrongService.into());
        }
        let not_text =
            |_| PeerMisbehaved::Message { number: Number::USERAUTH_REQUEST, error: DecodeError::InvalidUtf8 };
        let user = std::str::from_utf8(request.user).map_err(not_text)?.to_owned();
        let (attempt, pending) = match request.method {
            UserauthMethod::None => (Attempt::None, Pending::None),
            UserauthMethod::Password { password } => {
                (Attempt::Password(Secret::new(password.0)), Pending::Password)
            }
            UserauthMethod::PasswordChange { old, new } => {
                let attempt = Attempt::PasswordChange { old: Secret::new(old.0), new: Secret::new(new.0) };
                (attempt, Pending::Password)
            }
            UserauthMethod::PublicKeyQuery { algorithm, key } => {
                if self.algorithm(algorithm).is_none() {
                    return self.refuse(user, out);
                }
                let (key, algorithm) = (key.to_vec(), algorithm.to_owned());
                let attempt = Attempt::KeyQuery { key: key.clone(), algorithm: algorithm.clone() };
                (attempt, Pending::Query { key, algorithm })
            }
            UserauthMethod::PublicKey { algorithm, key, signature } => {
                if !self.verifies(request, algorithm, key, signature) {
                    return self.refuse(user, out);
                }
                (Attempt::Key { key: key.to_vec(), algorithm: algorithm.to_owned() }, Pending::Key)
            }
            UserauthMethod::HostBased { algorithm, key, host, local_user, signature } => {
                if !self.verifies(request, algorithm, key, signature) {
                    return self.refuse(user, out);
                }
                let (host, local_user) = (host.to_owned(), local_user.to_owned());
                let claim = HostClaim { key: key.to_vec(), host, local_user };
                (Attempt::HostBased { claim, algorithm: algorithm.to_owned() }, Pending::Key)
            }
            UserauthMethod::KeyboardInteractive { .. } => {
                (Attempt::KeyboardInteractive, Pending::Keyboard { user: user.clone(), rounds: 0 })
            }
            _ => return self.refuse(user, out),
        };
        self.ask(user, attempt, pending, out);
        Ok(())
    }

    fn ask(&mut self, user: String, attempt: Attempt, pending: Pending, out: &mut Outbox) {
        let question = out.ask(Question::Authenticate { user, attempt });
        self.state = State::Deciding(question, pending);
    }

    fn algorithm(&self, name: &str) -> Option<&'static Signature> {
        self.algorithms.iter().copied().find(|algorithm| algorithm.name == name)
    }

    fn verifies(&self, request: &UserauthRequest<'_>, name: &str, key: &[u8], signature: &[u8]) -> bool {
        let Some(algorithm) = self.algorithm(name) else { return false };
        let mut data = Vec::new();
        request.put_signed(&self.session_id, &mut data);
        (algorithm.verify)(key, signature, &data).is_ok()
    }

    fn refuse(&mut self, user: String, out: &mut Outbox) -> Result<(), Error> {
        self.ask(user, Attempt::Unusable, Pending::Unusable, out);
        Ok(())
    }

    fn carry_out(&mut self, pending: Pending, verdict: Verdict, out: &mut Outbox) -> Result<Progress, Error> {
        match (pending, verdict) {
            (Pending::Query { key, algorithm }, Verdict::Accept) => {
                out.send(&UserauthPkOk { algorithm: &algorithm, key: &key })?;
            }
            (Pending::Unusable, Verdict::Accept) => fail(&[], false, out)?,
            (_, Verdict::Accept) => {
                out.send(&UserauthSuccess)?;
                return Ok(Progress::Done);
            }
            (_, Verdict::Refuse { methods, partial }) => fail(&methods, partial, out)?,
            (Pending::Keyboard { user, rounds }, Verdict::Prompt(prompts)) if rounds < MAX_AUTH_ROUNDS => {
                send_prompts(&prompts, out)?;
                self.state = State::Prompted { user, rounds: rounds + 1 };
            }
            (Pending::Password, Verdict::ChangePassword { prompt }) => {
                out.send(&UserauthPasswdChangereq { prompt: prompt.as_bytes(), language: b"" })?;
            }
            // A verdict that does not fit the attempt is a refusal.
            (_, Verdict::Prompt(_) | Verdict::ChangePassword { .. }) => fail(&[], false, out)?,
        }
        Ok(Progress::Underway)
    }
}

fn fail(methods: &[String], partial: bool, out: &mut Outbox) -> Result<(), Error> {
    let methods = methods.join(",");
    let methods = NameList::new(&methods).map_err(|_| Error::Internal("a method's name cannot be sent"))?;
    out.send(&UserauthFailure { methods, partial_success: partial })
}

fn send_prompts(prompts: &Prompts, out: &mut Outbox) -> Result<(), Error> {
    let mut buffer = Vec::new();
    let items = prompts.prompts.iter().map(|prompt| WirePrompt { text: &prompt.text, echo: prompt.echo });
    let list = List::new(items, &mut buffer).map_err(|_| Error::Internal("too many prompts"))?;
    out.send(&UserauthInfoRequest {
        name: &prompts.name,
        instruction: &prompts.instruction,
        language: b"",
        prompts: list,
    })
}

fn unexpected(number: Number) -> Error {
    PeerMisbehaved::Unexpected { number, phase: "authentication" }.into()
}
