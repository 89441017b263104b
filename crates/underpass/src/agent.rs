//! The user's agent: a program that holds private keys and signs with them.
//!
//! Each request has a connection of its own, on which the agent is first told for which server it is, and a deadline for all
//! of it. It ends when whoever waits for it is gone.

mod connection;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use underpass_agent::{
    AgentError, Identity, bound, identities, request_identities, session_bind, sign_request, signature,
};
use underpass_proto::HostProof;

use self::connection::Connection;
use crate::error::in_words;
use crate::logon::{Candidate, in_order};
use crate::{Error, Event, Settings};

/// What part an SSH agent has in a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum AgentUse {
    /// None.
    Disabled,
    /// Its keys are offered, if there is one.
    #[default]
    Enabled,
    /// Nothing but its keys is offered. Without it, or with none of the keys in it, nobody logs in.
    Required,
}

/// An agent that is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    socket: PathBuf,
    /// The server that the keys are for. One that proved itself without a host key is unknown.
    server: Option<Arc<HostProof>>,
}

impl Agent {
    /// The agent of these settings, if they have any use for one.
    pub(crate) fn of(settings: &Settings) -> Option<Self> {
        let by_key = settings.preferred_authentications.iter().any(|method| method == "publickey");
        let wanted = settings.agent != AgentUse::Disabled && by_key;
        settings.agent_socket.clone().filter(|_| wanted).map(|socket| Self { socket, server: None })
    }

    /// A signature blob.
    ///
    /// # Errors
    /// The agent refuses, does not answer within `patience`, or answers with something else.
    pub(crate) async fn sign(
        &self,
        key: &[u8],
        algorithm: &str,
        data: &[u8],
        patience: Duration,
    ) -> Result<Vec<u8>, Error> {
        let answer = self.ask(&sign_request(key, data, algorithm), patience).await?;
        signature(&answer, algorithm).map_err(|error| self.error(format!("asked for a signature, {error}")))
    }

    async fn identities(&self) -> Result<Vec<Identity>, Error> {
        let answer = self.ask(&request_identities(), LISTING).await?;
        identities(&answer).map_err(|error| self.error(format!("asked for its keys, {error}")))
    }

    async fn ask(&self, request: &[u8], patience: Duration) -> Result<Vec<u8>, Error> {
        match timeout(patience, self.exchange(request)).await {
            Ok(answer) => answer.map_err(|problem| self.error(problem)),
            Err(_) => Err(self.error(format!("it has not answered within {} s", patience.as_secs_f32()))),
        }
    }

    async fn exchange(&self, request: &[u8]) -> Result<Vec<u8>, String> {
        let mut agent = Connection::open(&self.socket).await.map_err(|error| in_words(&error))?;
        if let Some(server) = self.server.as_ref().filter(|_| agent.lasts()) {
            let bind = session_bind(&server.host_key, &server.session_id, &server.signature);
            match bound(&agent.ask(&bind).await?) {
                // It does not know of this, and has no keys that need it.
                Ok(()) | Err(AgentError::Refused) => {}
                Err(error) => return Err(format!("told of the server, {error}")),
            }
        }
        agent.ask(request).await
    }

    fn error(&self, problem: impl Into<String>) -> Error {
        Error::agent(Some(&self.socket), problem)
    }
}

/// Whether there is an agent, if one is required: known before anything is dialled.
///
/// # Errors
/// There is none.
pub(crate) fn check(settings: &Settings) -> Result<(), Error> {
    match Agent::of(settings) {
        None if settings.agent == AgentUse::Required => Err(Error::agent(None, "there is none")),
        _ => Ok(()),
    }
}

/// What to offer in one login: the keys of files, and those that the agent holds now and may use for this server.
///
/// # Errors
/// The agent is required, and does not answer or holds none of the keys.
pub(crate) async fn candidates(
    settings: &Settings,
    files: &[Candidate],
    server: Option<Arc<HostProof>>,
) -> Result<Vec<Candidate>, Error> {
    let required = settings.agent == AgentUse::Required;
    let Some(agent) = Agent::of(settings) else { return Ok(files.to_vec()) };
    let agent = Agent { server, ..agent };
    let held = match agent.identities().await {
        Ok(held) => held,
        Err(error) if required => return Err(error),
        Err(error) => {
            settings.tell(|| Event::Detail { level: 1, text: error.to_string() });
            Vec::new()
        }
    };
    let (offered, missing) = in_order(settings, files, held, &agent);
    for file in missing {
        let text = format!("{file}: the agent does not hold the private key that belongs to it");
        settings.tell(|| Event::Warning { text });
    }
    if required && offered.is_empty() {
        return Err(agent.error("it holds none of the keys"));
    }
    Ok(offered)
}

/// How long it may take to list its keys, for which it asks nobody.
const LISTING: Duration = Duration::from_secs(10);
