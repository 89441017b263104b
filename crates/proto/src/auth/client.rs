//! The client's half of authentication.
//!
//! ```text
//!  Held ──▶ Service ──ACCEPT──▶ Choosing ──credential──▶ Waiting ──SUCCESS──▶ (done)
//!                                  ▲                      │   ▲
//!                                  ├──────FAILURE─────────┘   │ answer
//!                                  └──FAILURE── Asking ◀──────┘ PK_OK, INFO_REQUEST, PASSWD_CHANGEREQ
//! ```
//!
//! What to offer is the application's decision, one question at a time; this machine knows the messages only.

use std::time::Instant;

use underpass_crypto::Secret;
use underpass_wire::{
    AuthMethod, Context, Encode as _, List, Message, Number, Oid, Prompts as WirePrompts, Sensitive,
    ServiceRequest, UserauthInfoResponse, UserauthMethod, UserauthRequest,
};

use super::gssapi::{GssLogon, Next, proven};
use super::signing::Signing;
use super::{CONNECTION, Progress, USERAUTH};
use crate::error::{AuthenticationFailed, Error, PeerMisbehaved};
use crate::event::{
    Answer, Credential, Event, GssCall, GssReply, GssUse, HostClaim, Prompt, Prompts, Question, QuestionId,
    Refused,
};
use crate::limits::{MAX_AUTH_REQUESTS, MAX_AUTH_ROUNDS, MAX_BANNERS};
use crate::outbox::Outbox;

pub(crate) struct ClientAuth {
    user: Vec<u8>,
    session_id: Vec<u8>,
    signing: Signing,
    state: State,
    /// What the server said last about how to go on.
    remaining: Vec<String>,
    /// The payload of the server's last message, for an application that wants to see it.
    last: Vec<u8>,
    requests: u32,
    banners: u32,
}

enum State {
    /// Nobody has asked for anything.
    Held,
    /// The service is requested.
    Service { sent: Instant },
    /// The application chooses a credential.
    Choosing(QuestionId),
    /// The server decides about an attempt.
    Waiting(Attempt),
    /// The application does its part of an attempt.
    Asking(QuestionId, Attempt),
}

enum Attempt {
    None,
    Password {
        password: Secret,
        rounds: u32,
    },
    /// The key was offered without a signature.
    Query {
        key: Vec<u8>,
        algorithm: &'static str,
    },
    /// The key was, or is to be, offered with a signature.
    Signed {
        key: Vec<u8>,
        algorithm: &'static str,
    },
    HostBased {
        claim: HostClaim,
        algorithm: String,
    },
    Keyboard {
        rounds: u32,
        prompts: usize,
    },
    GssapiWithMic(GssLogon),
    GssapiKeyex,
    Custom {
        rounds: u32,
    },
}

impl ClientAuth {
    pub(crate) fn new(user: Vec<u8>, session_id: &[u8], signing: Signing) -> Self {
        Self {
            user,
            session_id: session_id.to_vec(),
            signing,
            state: State::Held,
            remaining: Vec::new(),
            last: Vec::new(),
            requests: 0,
            banners: 0,
        }
    }

    /// Asks for the service.
    pub(crate) fn start(&mut self, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        out.send(&ServiceRequest { name: USERAUTH })?;
        self.state = State::Service { sent: now };
        Ok(())
    }

    /// What the message numbers 60 to 79 mean now.
    pub(crate) fn method(&self) -> Option<AuthMethod> {
        match &self.state {
            State::Waiting(attempt) | State::Asking(_, attempt) => Some(match attempt {
                Attempt::Custom { .. } => return None,
                Attempt::None => AuthMethod::None,
                Attempt::Password { .. } => AuthMethod::Password,
                Attempt::Query { .. } | Attempt::Signed { .. } => AuthMethod::PublicKey,
                Attempt::HostBased { .. } => AuthMethod::HostBased,
                Attempt::Keyboard { .. } => AuthMethod::KeyboardInteractive,
                Attempt::GssapiWithMic(_) => AuthMethod::GssapiWithMic,
                Attempt::GssapiKeyex => AuthMethod::GssapiKeyex,
            }),
            State::Held | State::Service { .. } | State::Choosing(_) => None,
        }
    }

    /// Whether the service has been accepted, so that the messages of authentication are legal.
    pub(crate) fn has_service(&self) -> bool {
        !matches!(self.state, State::Held | State::Service { .. })
    }

    /// Whether a message with this number is the application's to understand.
    pub(crate) fn is_custom(&self, number: Number) -> bool {
        let is_answer = number == Number::USERAUTH_FAILURE || METHOD_NUMBERS.contains(&number.0);
        is_answer && matches!(self.state, State::Waiting(Attempt::Custom { .. }))
    }

    /// A message that the application understands.
    pub(crate) fn on_custom(&mut self, payload: &[u8], out: &mut Outbox) -> Result<(), Error> {
        let State::Waiting(Attempt::Custom { rounds }) = &self.state else {
            return Err(Error::Internal("nobody understands a message"));
        };
        let rounds = next_round(*rounds)?;
        if let Ok(Message::UserauthFailure(failure)) = Message::decode(payload, Context::default()) {
            self.remaining = failure.methods.iter().map(str::to_owned).collect();
        }
        let question = self.ask_packet(payload.to_vec(), out);
        self.state = State::Asking(question, Attempt::Custom { rounds });
        Ok(())
    }

    fn ask_packet(&self, last: Vec<u8>, out: &mut Outbox) -> QuestionId {
        out.ask(Question::Packet { last, session_id: self.session_id.clone() })
    }

    /// The server's signature algorithms (RFC 8308 section 3.1).
    pub(crate) fn on_server_algorithms<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.signing.listed = Some(names.map(str::to_owned).collect());
    }

    pub(crate) fn on_message(
        &mut self,
        message: &Message<'_>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<Progress, Error> {
        self.last.clear();
        message.encode(&mut self.last);
        match message {
            Message::ServiceAccept(accept) => self.on_service_accept(accept.name, out, now)?,
            Message::UserauthBanner(banner) => {
                self.banners += 1;
                if self.banners <= MAX_BANNERS {
                    out.tell(Event::Banner(banner.message.to_vec()));
                }
            }
            Message::UserauthSuccess(_) => {
                // Only what we asked for can succeed; otherwise a server in the middle could skip authentication.
                return match self.state {
                    State::Waiting(_) => Ok(Progress::Done),
                    _ => Err(unexpected(Number::USERAUTH_SUCCESS)),
                };
            }
            Message::UserauthFailure(failure) => {
                // A refusal can also overtake our part of an attempt; the open question is void then.
                if !matches!(self.state, State::Waiting(_) | State::Asking(..)) {
                    return Err(unexpected(Number::USERAUTH_FAILURE));
                }
                self.remaining = failure.methods.iter().map(str::to_owned).collect();
                self.choose(out, failure.partial_success, false);
            }
            Message::UserauthPkOk(ok) => self.on_pk_ok(ok.algorithm, ok.key, out)?,
            Message::UserauthPasswdChangereq(request) => self.on_change_request(request.prompt, out)?,
            Message::UserauthInfoRequest(request) => {
                self.on_info_request(request.name, request.instruction, &request.prompts, out)?;
            }
            Message::UserauthGssapiResponse(response) => {
                self.on_gss_step(message.number(), out, |gss| gss.on_response(response.mechanism.0))?;
            }
            Message::UserauthGssapiToken(step) => {
                self.on_gss_step(message.number(), out, |gss| gss.on_token(step.token))?;
            }
            // Either is followed by a refusal.
            Message::UserauthGssapiError(error) => self.on_gss_error(message.number(), error.message, out)?,
            Message::UserauthGssapiErrtok(_) => self.on_gss_error(message.number(), &[], out)?,
            other => return Err(unexpected(other.number())),
        }
        Ok(Progress::Underway)
    }

    /// Takes an answer; `None` when the question is not, or no longer, ours.
    pub(crate) fn on_answer(
        &mut self,
        id: QuestionId,
        answer: Answer,
        out: &mut Outbox,
    ) -> Option<Result<(), Error>> {
        match (&self.state, answer) {
            (State::Choosing(question), Answer::Credential(credential)) if *question == id => {
                Some(self.offer(credential, out))
            }
            (State::Asking(question, _), answer) if *question == id => self.go_on(answer, out),
            _ => None,
        }
    }

    fn on_service_accept(&mut self, name: &str, out: &mut Outbox, now: Instant) -> Result<(), Error> {
        let State::Service { sent } = self.state else { return Err(unexpected(Number::SERVICE_ACCEPT)) };
        if name != USERAUTH {
            return Err(PeerMisbehaved::WrongService.into());
        }
        out.sample_rtt(sent, now);
        self.state = State::Choosing(out.ask(Question::Credential { last: None }));
        Ok(())
    }

    fn choose(&mut self, out: &mut Outbox, partial: bool, no_algorithm: bool) {
        let last = Refused { remaining: self.remaining.clone(), partial, no_algorithm };
        self.state = State::Choosing(out.ask(Question::Credential { last: Some(last) }));
    }

    fn offer(&mut self, credential: Credential, out: &mut Outbox) -> Result<(), Error> {
        let attempt = match credential {
            Credential::None => {
                self.request(UserauthMethod::None, out)?;
                Attempt::None
            }
            Credential::Password(password) => {
                self.request(UserauthMethod::Password { password: Sensitive(password.expose()) }, out)?;
                Attempt::Password { password, rounds: 0 }
            }
            Credential::KeyboardInteractive => {
                self.request(UserauthMethod::KeyboardInteractive { language: b"", submethods: b"" }, out)?;
                Attempt::Keyboard { rounds: 0, prompts: 0 }
            }
            Credential::Key { key, algorithms, query } => {
                let Some(algorithm) = self.signing.algorithm(&algorithms) else {
                    self.choose(out, false, true);
                    return Ok(());
                };
                if !query {
                    self.ask_key_signature(key, algorithm, out);
                    return Ok(());
                }
                self.request(UserauthMethod::PublicKeyQuery { algorithm, key: &key }, out)?;
                Attempt::Query { key, algorithm }
            }
            Credential::HostBased { claim, algorithms } => {
                let Some(algorithm) = self.signing.of_host(algorithms) else {
                    self.choose(out, false, true);
                    return Ok(());
                };
                self.ask_host_signature(claim, algorithm, out);
                return Ok(());
            }
            Credential::GssapiWithMic { mechanism } => {
                let mut buffer = Vec::new();
                let mechanisms = List::new([Oid(mechanism)], &mut buffer)
                    .map_err(|_| Error::Internal("one mechanism is too many"))?;
                self.request(UserauthMethod::GssapiWithMic { mechanisms }, out)?;
                Attempt::GssapiWithMic(GssLogon::new(mechanism))
            }
            Credential::GssapiKeyex => {
                let data = proven(&self.session_id, &self.user, AuthMethod::GssapiKeyex);
                let question = out.ask(Question::Gss(GssUse::KeyExchange, GssCall::Sign { data }));
                self.state = State::Asking(question, Attempt::GssapiKeyex);
                return Ok(());
            }
            Credential::Custom => {
                let question = self.ask_packet(self.last.clone(), out);
                self.state = State::Asking(question, Attempt::Custom { rounds: 0 });
                return Ok(());
            }
            Credential::GiveUp => {
                let remaining = std::mem::take(&mut self.remaining);
                return Err(Error::Authentication(AuthenticationFailed::GaveUp { remaining }));
            }
        };
        self.state = State::Waiting(attempt);
        Ok(())
    }

    fn ask_key_signature(&mut self, key: Vec<u8>, algorithm: &'static str, out: &mut Outbox) {
        let data = self.signed(UserauthMethod::PublicKey { algorithm, key: &key, signature: b"" });
        let question = Question::Signature { key: key.clone(), algorithm: algorithm.to_owned(), data };
        self.state = State::Asking(out.ask(question), Attempt::Signed { key, algorithm });
    }

    fn ask_host_signature(&mut self, claim: HostClaim, algorithm: String, out: &mut Outbox) {
        let data = self.signed(hostbased(&claim, &algorithm, b""));
        let question = Question::Signature { key: claim.key.clone(), algorithm: algorithm.clone(), data };
        self.state = State::Asking(out.ask(question), Attempt::HostBased { claim, algorithm });
    }

    /// What the signature of a request by this method is made of.
    fn signed(&self, method: UserauthMethod<'_>) -> Vec<u8> {
        let mut data = Vec::new();
        UserauthRequest { user: &self.user, service: CONNECTION, method }
            .put_signed(&self.session_id, &mut data);
        data
    }

    fn on_pk_ok(&mut self, algorithm: &str, key: &[u8], out: &mut Outbox) -> Result<(), Error> {
        match &self.state {
            State::Waiting(Attempt::Query { key: offered, algorithm: asked })
                if offered == key && *asked == algorithm =>
            {
                let (key, algorithm) = (offered.clone(), *asked);
                self.ask_key_signature(key, algorithm, out);
                Ok(())
            }
            _ => Err(unexpected(Number::USERAUTH_PK_OK)),
        }
    }

    fn on_change_request(&mut self, prompt: &[u8], out: &mut Outbox) -> Result<(), Error> {
        let State::Waiting(Attempt::Password { password, rounds }) = &mut self.state else {
            return Err(unexpected(Number::USERAUTH_PASSWD_CHANGEREQ));
        };
        let attempt = Attempt::Password { password: password.clone(), rounds: next_round(*rounds)? };
        let question = out.ask(Question::NewPassword { prompt: prompt.to_vec() });
        self.state = State::Asking(question, attempt);
        Ok(())
    }

    fn on_info_request(
        &mut self,
        name: &[u8],
        instruction: &[u8],
        prompts: &WirePrompts<'_>,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let State::Waiting(Attempt::Keyboard { rounds, .. }) = &self.state else {
            return Err(unexpected(Number::USERAUTH_INFO_REQUEST));
        };
        let rounds = next_round(*rounds)?;
        let prompts: Vec<Prompt> =
            prompts.iter().map(|prompt| Prompt { text: prompt.text.to_vec(), echo: prompt.echo }).collect();
        let attempt = Attempt::Keyboard { rounds, prompts: prompts.len() };
        let round = Prompts { name: name.to_vec(), instruction: instruction.to_vec(), prompts };
        self.state = State::Asking(out.ask(Question::Prompts(round)), attempt);
        Ok(())
    }

    /// The server's part of `gssapi-with-mic`, which has the application do something.
    fn on_gss_step(
        &mut self,
        number: Number,
        out: &mut Outbox,
        step: impl FnOnce(&mut GssLogon) -> Result<GssCall, Error>,
    ) -> Result<(), Error> {
        let State::Waiting(Attempt::GssapiWithMic(gss)) = &mut self.state else {
            return Err(unexpected(number));
        };
        let call = step(gss)?;
        let question = out.ask(Question::Gss(GssUse::Logon, call));
        if let State::Waiting(attempt) = std::mem::replace(&mut self.state, State::Choosing(question)) {
            self.state = State::Asking(question, attempt);
        }
        Ok(())
    }

    fn on_gss_error(&mut self, number: Number, words: &[u8], out: &mut Outbox) -> Result<(), Error> {
        match &mut self.state {
            State::Waiting(Attempt::GssapiWithMic(gss)) | State::Asking(_, Attempt::GssapiWithMic(gss)) => {
                gss.on_error()?;
                out.tell(Event::GssLogonFailed(words.to_vec()));
                Ok(())
            }
            _ => Err(unexpected(number)),
        }
    }

    /// What the application's mechanism has come to in `gssapi-with-mic`.
    fn on_gss_reply(&mut self, reply: &GssReply, out: &mut Outbox) -> Option<Result<(), Error>> {
        let State::Asking(_, Attempt::GssapiWithMic(gss)) = &mut self.state else { return None };
        let data = || proven(&self.session_id, &self.user, AuthMethod::GssapiWithMic);
        let next = match gss.on_reply(reply, data, out)? {
            Ok(Next::GiveUp) => {
                self.choose(out, false, false);
                return Some(Ok(()));
            }
            Ok(next) => next,
            Err(error) => return Some(Err(error)),
        };
        let State::Asking(_, attempt) = std::mem::replace(&mut self.state, State::Waiting(Attempt::None))
        else {
            return None;
        };
        self.state = match next {
            Next::Ask(call) => State::Asking(out.ask(Question::Gss(GssUse::Logon, call)), attempt),
            Next::Wait | Next::GiveUp => State::Waiting(attempt),
        };
        Some(Ok(()))
    }

    /// The application's part of an attempt. An answer of the wrong kind leaves the question open.
    fn go_on(&mut self, answer: Answer, out: &mut Outbox) -> Option<Result<(), Error>> {
        let State::Asking(_, attempt) = &self.state else { return None };
        let result = match (attempt, answer) {
            (Attempt::GssapiWithMic(_), Answer::Gss(Some(reply))) => return self.on_gss_reply(&reply, out),
            (Attempt::GssapiKeyex, Answer::Gss(Some(GssReply::Mic(mic)))) => {
                self.request(UserauthMethod::GssapiKeyex { mic: &mic }, out)
            }
            (Attempt::Signed { key, algorithm }, Answer::Signature(Some(signature))) => {
                let (key, algorithm) = (key.clone(), *algorithm);
                self.request(UserauthMethod::PublicKey { algorithm, key: &key, signature: &signature }, out)
            }
            (Attempt::HostBased { claim, algorithm }, Answer::Signature(Some(signature))) => {
                let (claim, algorithm) = (claim.clone(), algorithm.clone());
                self.request(hostbased(&claim, &algorithm, &signature), out)
            }
            (Attempt::Password { password, .. }, Answer::NewPassword(Some(new))) => {
                let old = password.clone();
                let method = UserauthMethod::PasswordChange {
                    old: Sensitive(old.expose()),
                    new: Sensitive(new.expose()),
                };
                self.request(method, out)
            }
            (Attempt::Keyboard { prompts, .. }, Answer::Responses(Some(responses)))
                if responses.len() == *prompts =>
            {
                let responses: Vec<&[u8]> = responses.iter().map(Secret::expose).collect();
                let mut payload = Vec::new();
                UserauthInfoResponse::encode_answers(&responses, &mut payload)
                    .map_err(|_| Error::Internal("more responses than prompts"))
                    .and_then(|()| {
                        let result = out.send_payload(&payload);
                        drop(Secret::new(payload));
                        result
                    })
            }
            (Attempt::Custom { .. }, Answer::Packet(Some(packet))) if is_from_client(packet.expose()) => {
                out.send_payload(packet.expose())
            }
            (Attempt::Custom { .. }, Answer::Packet(_))
            | (
                _,
                Answer::Signature(None)
                | Answer::NewPassword(None)
                | Answer::Responses(None)
                | Answer::Packet(None)
                | Answer::Gss(None),
            ) => {
                self.choose(out, false, false);
                return Some(Ok(()));
            }
            _ => return None,
        };
        let State::Asking(_, attempt) = std::mem::replace(&mut self.state, State::Waiting(Attempt::None))
        else {
            return Some(result);
        };
        self.state = State::Waiting(attempt);
        Some(result)
    }

    fn request(&mut self, method: UserauthMethod<'_>, out: &mut Outbox) -> Result<(), Error> {
        self.requests += 1;
        if self.requests > MAX_AUTH_REQUESTS {
            return Err(Error::Authentication(AuthenticationFailed::TooManyRequests));
        }
        out.send(&UserauthRequest { user: &self.user, service: CONNECTION, method })
    }
}

fn hostbased<'a>(claim: &'a HostClaim, algorithm: &'a str, signature: &'a [u8]) -> UserauthMethod<'a> {
    let HostClaim { key, host, local_user } = claim;
    UserauthMethod::HostBased { algorithm, key, host, local_user, signature }
}

/// Whether a payload is a message of authentication that a client may send.
fn is_from_client(payload: &[u8]) -> bool {
    let number = payload.first().copied().unwrap_or_default();
    let is_known = number == Number::USERAUTH_REQUEST.0 || METHOD_NUMBERS.contains(&number);
    is_known && payload.len() <= MAX_CUSTOM_PAYLOAD
}

/// What every server has to take (RFC 4253 section 6.1).
const MAX_CUSTOM_PAYLOAD: usize = 32_768;

/// The numbers that mean what the method says (RFC 4252 section 6).
const METHOD_NUMBERS: std::ops::RangeInclusive<u8> = 60..=79;

fn next_round(rounds: u32) -> Result<u32, Error> {
    if rounds < MAX_AUTH_ROUNDS { Ok(rounds + 1) } else { Err(PeerMisbehaved::EndlessAuthentication.into()) }
}

pub(super) fn unexpected(number: Number) -> Error {
    PeerMisbehaved::Unexpected { number, phase: "this step of the authentication" }.into()
}
