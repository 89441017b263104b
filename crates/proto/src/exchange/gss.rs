//! The client's part of a key exchange in which a GSS-API mechanism vouches for the server (RFC 4462 section 2).
//!
//! ```text
//!  client                                    server
//!    │ ── INIT token e ──────────────────────▶ │
//!    │ ◀── HOSTKEY K_S ─────────────────────── │  perhaps
//!    │ ◀── CONTINUE token ──────────────────── │  } as often as the mechanism wants
//!    │ ─── CONTINUE token ───────────────────▶ │  }
//!    │ ◀── COMPLETE f MIC(H) [token] ───────── │  or ERROR
//! ```
//!
//! Each token is the application's answer to a question, since the mechanism may have to ask a KDC. What the server sends
//! meanwhile is judged at once: only NEWKEYS can come, behind COMPLETE. The keys are derived then, but ours are not in use,
//! and nothing leaves, before the MIC is verified.

use std::time::Instant;

use underpass_crypto::{Digest, Encoding};
use underpass_wire::{KexGssContinue, KexGssInit, Mpint, Number};

use super::{Agreed, Agreeing, Awaited, KeyExchange, Progress, State, encoded, unexpected};
use crate::error::{Error, PeerIncompatible, PeerMisbehaved};
use crate::event::{GssCall, GssReply, GssServices, GssUse, Question, QuestionId};
use crate::limits::{MAX_GSS_ROUNDS, MAX_GSS_TOKEN};
use crate::outbox::Outbox;
use crate::role::Role;

/// The context's state until COMPLETE.
#[derive(Default)]
pub(super) struct GssContext {
    turn: Turn,
    /// Our part of the context is done.
    established: bool,
    /// Tokens that have come.
    rounds: u32,
    host_key: Option<Vec<u8>>,
}

#[derive(Default)]
enum Turn {
    /// There is no group yet.
    #[default]
    Before,
    /// The application makes the first token.
    First(QuestionId),
    /// The application makes a further one.
    Further(QuestionId),
    Servers,
}

/// The server's proof, on its way to being checked.
pub(super) struct GssProof {
    question: QuestionId,
    /// The last token came along with the proof, and is dealt with first.
    token_first: bool,
    hash: Digest,
    mic: Vec<u8>,
}

/// What KEXGSS_COMPLETE brings.
pub(crate) struct Completion<'a> {
    pub(crate) server_public: &'a [u8],
    pub(crate) mic: &'a [u8],
    pub(crate) token: Option<&'a [u8]>,
}

impl GssContext {
    /// Has the first token made.
    pub(super) fn begin(&mut self, out: &mut Outbox) {
        self.turn = Turn::First(initiate(None, out));
    }

    fn has_asked(&self, id: QuestionId) -> bool {
        matches!(self.turn, Turn::First(question) | Turn::Further(question) if question == id)
    }

    fn expects(&self, number: Number) -> Result<(), Error> {
        if matches!(self.turn, Turn::Servers) { Ok(()) } else { Err(unexpected(number)) }
    }
}

impl KeyExchange {
    /// Whether this question of GSS-API is ours.
    pub(crate) fn has_asked_gss(&self, id: QuestionId) -> bool {
        match &self.state {
            State::Agreeing(agreeing) => agreeing.gss.as_ref().is_some_and(|gss| gss.has_asked(id)),
            State::Finishing(finishing) => {
                matches!(&finishing.awaited, Some(Awaited::Gss(proof)) if proof.question == id)
            }
            State::Idle | State::Proposed { .. } => false,
        }
    }

    /// What the application's mechanism has come to; `None` when the reply is to another call.
    pub(crate) fn on_gss_reply(
        &mut self,
        reply: Option<GssReply>,
        out: &mut Outbox,
        now: Instant,
    ) -> Option<Result<Progress, Error>> {
        let Some(reply) = reply else { return Some(Err(Error::GssFailed)) };
        match (&mut self.state, reply) {
            (State::Agreeing(agreeing), GssReply::Token { token, established }) => {
                agreeing.sent = now;
                Some(agreeing.on_our_token(token.as_deref(), established, out).map(|()| Progress::Underway))
            }
            (State::Finishing(finishing), reply) => {
                let Some(Awaited::Gss(proof)) = &mut finishing.awaited else { return None };
                match (proof.token_first, reply) {
                    (true, GssReply::Token { token, established }) => Some(
                        proof.on_last_token(token.is_some(), established, out).map(|()| Progress::Underway),
                    ),
                    (false, GssReply::Verified(true)) => {
                        finishing.awaited = None;
                        Some(self.send_newkeys(out))
                    }
                    (false, GssReply::Verified(false)) => Some(Err(PeerMisbehaved::GssMic.into())),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn gss(&mut self, number: Number) -> Result<&mut GssContext, Error> {
        match &mut self.state {
            State::Agreeing(agreeing) => agreeing.gss.as_mut().ok_or_else(|| unexpected(number)),
            _ => Err(unexpected(number)),
        }
    }

    /// The server's host key, before its first token (RFC 4462 section 2.1). It enters the hash and is proven by the MIC
    /// like everything in it; who the server is does not depend on it.
    pub(crate) fn on_gss_host_key(&mut self, key: &[u8]) -> Result<Progress, Error> {
        let gss = self.gss(Number::KEXGSS_HOSTKEY)?;
        gss.expects(Number::KEXGSS_HOSTKEY)?;
        if gss.host_key.is_some() || gss.rounds > 0 {
            return Err(unexpected(Number::KEXGSS_HOSTKEY));
        }
        gss.host_key = Some(key.to_vec());
        Ok(Progress::Underway)
    }

    /// A token of the server.
    pub(crate) fn on_gss_continue(&mut self, token: &[u8], out: &mut Outbox) -> Result<Progress, Error> {
        let gss = self.gss(Number::KEXGSS_CONTINUE)?;
        gss.expects(Number::KEXGSS_CONTINUE)?;
        if gss.established {
            return Err(PeerMisbehaved::Gss("a token came for a context that is complete").into());
        }
        gss.rounds += 1;
        if gss.rounds > MAX_GSS_ROUNDS {
            return Err(PeerMisbehaved::Gss("the context is never complete").into());
        }
        check_length(token)?;
        gss.turn = Turn::Further(initiate(Some(token), out));
        Ok(Progress::Underway)
    }

    /// The server's public value and its proof.
    pub(crate) fn on_gss_complete(
        &mut self,
        completion: &Completion<'_>,
        out: &mut Outbox,
        now: Instant,
    ) -> Result<Progress, Error> {
        let gss = self.gss(Number::KEXGSS_COMPLETE)?;
        gss.expects(Number::KEXGSS_COMPLETE)?;
        match (gss.established, completion.token) {
            (true, Some(_)) => {
                return Err(PeerMisbehaved::Gss("a token came for a context that is complete").into());
            }
            (false, None) => {
                return Err(
                    PeerMisbehaved::Gss("the token is missing that would complete the context").into()
                );
            }
            (_, token) => token.map_or(Ok(()), check_length)?,
        }
        check_length(completion.mic)?;
        let host_key = gss.host_key.take().unwrap_or_default();
        let mut agreeing =
            self.take_agreeing(Role::Client).ok_or_else(|| unexpected(Number::KEXGSS_COMPLETE))?;
        out.sample_rtt(agreeing.sent, now);
        let public = agreeing.public(completion.server_public)?;
        let Agreed { secret, hash } = self.agree(&mut agreeing, &host_key, public)?;
        self.finish(*agreeing, hash, &secret, Vec::new())?;
        let mic = completion.mic.to_vec();
        let question = match completion.token {
            Some(token) => initiate(Some(token), out),
            None => verify(&hash, &mic, out),
        };
        let token_first = completion.token.is_some();
        self.wait_for(Awaited::Gss(GssProof { question, token_first, hash, mic }));
        Ok(Progress::Underway)
    }
}

impl Agreeing {
    fn on_our_token(
        &mut self,
        token: Option<&[u8]>,
        established: Option<GssServices>,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        if let Some(services) = established {
            check_services(services)?;
        }
        let Some(gss) = &mut self.gss else { return Err(Error::Internal("a token for no context")) };
        match (&gss.turn, token) {
            (Turn::First(_), Some(token)) => {
                let (initiator, agreement) = self
                    .initiator
                    .as_ref()
                    .zip(self.flow.agreement())
                    .ok_or(Error::Internal("a token without a public value"))?;
                // Behind the length: the contents of a string or of an mpint.
                let public = &encoded(initiator.public(), agreement.public_encoding())[4..];
                out.send(&KexGssInit { token, client_public: public })?;
            }
            (_, Some(token)) => out.send(&KexGssContinue { token })?,
            (Turn::Further(_), None) if established.is_some() => {}
            (_, None) => return Err(Error::Internal("the mechanism made no token")),
        }
        gss.established = established.is_some();
        gss.turn = Turn::Servers;
        Ok(())
    }

    /// The server's public value, out of the field that holds the contents of a string or of an mpint.
    fn public<'a>(&self, field: &'a [u8]) -> Result<&'a [u8], Error> {
        match self.flow.agreement().map(|agreement| agreement.public_encoding()) {
            Some(Encoding::Mpint) => {
                let number = Mpint::from_contents(field);
                let malformed = |error| PeerMisbehaved::Message { number: Number::KEXGSS_COMPLETE, error };
                Ok(number.map_err(malformed)?.as_bytes())
            }
            _ => Ok(field),
        }
    }
}

impl GssProof {
    /// The last token is dealt with; the proof is next.
    fn on_last_token(
        &mut self,
        more: bool,
        established: Option<GssServices>,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        match established {
            Some(services) if !more => check_services(services)?,
            _ => return Err(PeerMisbehaved::Gss("the last token does not complete the context").into()),
        }
        self.question = verify(&self.hash, &self.mic, out);
        self.token_first = false;
        Ok(())
    }
}

/// RFC 4462 section 2.1: without either "the key exchange MUST fail".
fn check_services(services: GssServices) -> Result<(), Error> {
    let missing = match services {
        GssServices { mutual: false, .. } => "mutual authentication",
        GssServices { integrity: false, .. } => "integrity protection",
        _ => return Ok(()),
    };
    Err(PeerIncompatible::GssTooWeak { missing }.into())
}

fn check_length(token: &[u8]) -> Result<(), Error> {
    if token.len() > MAX_GSS_TOKEN { Err(PeerMisbehaved::Gss("a token is too long").into()) } else { Ok(()) }
}

fn initiate(token: Option<&[u8]>, out: &mut Outbox) -> QuestionId {
    let token = token.map(<[u8]>::to_vec);
    out.ask(Question::Gss(GssUse::KeyExchange, GssCall::Initiate { token }))
}

fn verify(hash: &Digest, mic: &[u8], out: &mut Outbox) -> QuestionId {
    let (data, mic) = (hash.to_vec(), mic.to_vec());
    out.ask(Question::Gss(GssUse::KeyExchange, GssCall::Verify { data, mic }))
}
