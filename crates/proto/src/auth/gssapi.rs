//! The client's part of `gssapi-with-mic` (RFC 4462 section 3).
//!
//! ```text
//!  Requested ──RESPONSE──▶ Tokens ──context complete──▶ Signing ──MIC sent──▶ Proven
//!                           │  ▲
//!                           └──┘ TOKEN, as often as the mechanism wants
//! ```
//!
//! Each step is the application's answer to a question. Without integrity protection the RFC has the client go on
//! without the MIC; since nothing then ties the logon to this connection, it is given up instead.

use underpass_wire::{AuthMethod, Number, Put as _, UserauthGssapiMic, UserauthGssapiToken};

use super::CONNECTION;
use super::client::unexpected;
use crate::error::{Error, PeerMisbehaved};
use crate::event::{GssCall, GssReply};
use crate::limits::{MAX_GSS_ROUNDS, MAX_GSS_TOKEN};
use crate::outbox::Outbox;

pub(super) struct GssLogon {
    mechanism: &'static [u8],
    stage: Stage,
    /// Tokens and errors that have come.
    rounds: u32,
}

enum Stage {
    /// The server picks the mechanism.
    Requested,
    /// The context is under construction.
    Tokens,
    /// The context is complete; the proof is being made.
    Signing,
    /// The server has everything.
    Proven,
}

/// What follows a reply of the application.
pub(super) enum Next {
    /// A further question.
    Ask(GssCall),
    /// The server's turn.
    Wait,
    GiveUp,
}

impl GssLogon {
    pub(super) fn new(mechanism: &'static [u8]) -> Self {
        Self { mechanism, stage: Stage::Requested, rounds: 0 }
    }

    /// The server has picked a mechanism; there was one to choose from.
    pub(super) fn on_response(&mut self, mechanism: &[u8]) -> Result<GssCall, Error> {
        let Stage::Requested = self.stage else { return Err(unexpected(Number::USERAUTH_GSSAPI_RESPONSE)) };
        if mechanism != self.mechanism {
            return Err(PeerMisbehaved::Gss("the server picked a mechanism that was not offered").into());
        }
        self.stage = Stage::Tokens;
        Ok(GssCall::Initiate { token: None })
    }

    pub(super) fn on_token(&mut self, token: &[u8]) -> Result<GssCall, Error> {
        let Stage::Tokens = self.stage else { return Err(unexpected(Number::USERAUTH_GSSAPI_TOKEN)) };
        self.count()?;
        if token.len() > MAX_GSS_TOKEN {
            return Err(PeerMisbehaved::Gss("a token is too long").into());
        }
        Ok(GssCall::Initiate { token: Some(token.to_vec()) })
    }

    /// The server's mechanism has failed; a refusal is due.
    pub(super) fn on_error(&mut self) -> Result<(), Error> {
        self.count()
    }

    fn count(&mut self) -> Result<(), Error> {
        self.rounds += 1;
        if self.rounds > MAX_GSS_ROUNDS {
            return Err(PeerMisbehaved::Gss("the logon comes to no end").into());
        }
        Ok(())
    }

    /// What the application's mechanism has come to; `None` when the reply is to another call. `proven` is what the MIC
    /// is for.
    pub(super) fn on_reply(
        &mut self,
        reply: &GssReply,
        proven: impl FnOnce() -> Vec<u8>,
        out: &mut Outbox,
    ) -> Option<Result<Next, Error>> {
        match (&self.stage, reply) {
            (Stage::Tokens, GssReply::Token { token, established }) => {
                let sent = token.as_ref().map_or(Ok(()), |token| out.send(&UserauthGssapiToken { token }));
                let next = match established {
                    Some(services) if services.integrity => {
                        self.stage = Stage::Signing;
                        Next::Ask(GssCall::Sign { data: proven() })
                    }
                    None if token.is_some() => Next::Wait,
                    _ => Next::GiveUp,
                };
                Some(sent.map(|()| next))
            }
            (Stage::Signing, GssReply::Mic(mic)) => {
                self.stage = Stage::Proven;
                Some(out.send(&UserauthGssapiMic { mic }).map(|()| Next::Wait))
            }
            _ => None,
        }
    }
}

/// What a MIC proves: that this user logs on to this connection (RFC 4462 sections 3.5 and 4).
pub(super) fn proven(session_id: &[u8], user: &[u8], method: AuthMethod) -> Vec<u8> {
    let mut data = Vec::new();
    data.put_string(session_id);
    data.put_u8(Number::USERAUTH_REQUEST.0);
    data.put_string(user);
    data.put_text(CONNECTION);
    data.put_text(method.name());
    data
}
