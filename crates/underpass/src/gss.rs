//! The GSSAPI of one connection: its contexts, and the engine's calls in them. Everything here blocks on files and on
//! KDCs, so it is for threads that may.

use std::sync::Arc;

use underpass_gssapi::{Cause, Credentials, Established, Initiator, KERBEROS_OID, Library, Step as Made};
use underpass_proto::{GssCall, GssReply, GssServices, GssUse};
use zeroize::Zeroizing;

use crate::{Error, Event, KerberosCredentials, Settings, Step};

/// The mechanism, as `gssapi-with-mic` names it.
pub(crate) const MECHANISM: &[u8] = &KERBEROS_OID;

pub(crate) struct Gss {
    settings: Arc<Settings>,
    user: String,
    library: Option<Library>,
    /// The context of the key exchange under way.
    exchange: Option<Initiator>,
    /// That of the first one, for `gssapi-keyex`.
    first_exchange: Option<Initiator>,
    /// That of `gssapi-with-mic`, with the token that begins it.
    logon: Option<(Initiator, Option<Made>)>,
    /// What became of the password, which is not tried a second time: KDCs lock accounts.
    refused: Option<Error>,
}

impl Gss {
    pub(crate) fn new(settings: Arc<Settings>, user: String) -> Self {
        Self {
            settings,
            user,
            library: None,
            exchange: None,
            first_exchange: None,
            logon: None,
            refused: None,
        }
    }

    /// Whether there is a ticket for the server, so that a key exchange is worth offering.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        self.begin(false, Step::KeyExchange).map(|_| ())
    }

    /// Makes the first token of `gssapi-with-mic`, so that the method is offered only if there is one.
    pub(crate) fn begin_logon(&mut self) -> Result<(), Error> {
        let (context, first) = self.begin(self.settings.kerberos.delegate, Step::Authenticate)?;
        self.logon = Some((context, Some(first)));
        Ok(())
    }

    /// Does what the engine asks for.
    pub(crate) fn call(&mut self, usage: GssUse, call: GssCall) -> Result<GssReply, Error> {
        match (usage, call) {
            (GssUse::KeyExchange, GssCall::Initiate { token: None }) => {
                let (context, first) = self.begin(self.settings.kerberos.delegate, Step::KeyExchange)?;
                self.exchange = Some(context);
                Ok(reply(first))
            }
            (GssUse::KeyExchange, GssCall::Initiate { token }) => {
                let (settings, context) = (&self.settings, self.exchange.as_mut());
                go_on(settings, Step::KeyExchange, context, token.as_deref())
            }
            (GssUse::KeyExchange, GssCall::Verify { data, mic }) => Ok(self.verify(&data, &mic)),
            (GssUse::KeyExchange, GssCall::Sign { data }) => {
                sign(&self.settings, self.first_exchange.as_mut(), &data)
            }
            (GssUse::Logon, GssCall::Initiate { token: None }) => {
                let first = self.logon.as_mut().and_then(|(_, first)| first.take());
                first.map(reply).ok_or_else(|| no_context(Step::Authenticate))
            }
            (GssUse::Logon, GssCall::Initiate { token }) => {
                let context = self.logon.as_mut().map(|(context, _)| context);
                go_on(&self.settings, Step::Authenticate, context, token.as_deref())
            }
            (GssUse::Logon, GssCall::Sign { data }) => {
                sign(&self.settings, self.logon.as_mut().map(|(context, _)| context), &data)
            }
            (GssUse::Logon, GssCall::Verify { .. }) => Err(no_context(Step::Authenticate)),
        }
    }

    /// A new context and its first token.
    fn begin(&mut self, delegate: bool, step: Step) -> Result<(Initiator, Made), Error> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        let settings = self.settings.clone();
        let started = self.start(delegate);
        started.map_err(|problem| {
            let error = Error::kerberos(step, &settings.host, &problem);
            if problem.cause() == Cause::WrongPassword {
                self.refused = Some(error.clone());
            }
            error
        })
    }

    fn start(&mut self, delegate: bool) -> Result<(Initiator, Made), underpass_gssapi::Error> {
        let credentials = self.credentials()?;
        let target = self.settings.kerberos.target(&self.settings.host);
        let mut context = Initiator::new(&credentials, &target, delegate)?;
        let first = context.step(None)?;
        Ok((context, first))
    }

    /// Anew for each context: a ticket may have been renewed since.
    fn credentials(&mut self) -> Result<Credentials, underpass_gssapi::Error> {
        let kerberos = &self.settings.kerberos;
        let library = match (&self.library, &kerberos.library) {
            (Some(library), _) => library.clone(),
            (None, Some(path)) => Library::open(path)?,
            (None, None) => Library::system()?,
        };
        self.library = Some(library.clone());
        let principal = kerberos.principal(&self.user);
        match (kerberos.credentials, principal, &self.settings.password) {
            (KerberosCredentials::Password, Some(principal), Some(password)) => {
                let password = Zeroizing::new(password.expose().to_vec());
                library.credentials_with_password(&principal, &password)
            }
            (_, principal, _) => library.credentials(principal.as_deref()),
        }
    }

    /// The server's proof of a key exchange, whose context is good for a logon if it was the first.
    fn verify(&mut self, data: &[u8], mic: &[u8]) -> GssReply {
        let Some(mut context) = self.exchange.take() else { return GssReply::Verified(false) };
        match context.verify(data, mic) {
            Ok(()) => {
                let server = self.settings.kerberos.target(&self.settings.host).name().to_owned();
                self.settings.tell(|| Event::KerberosServer { server });
                self.first_exchange.get_or_insert(context);
                GssReply::Verified(true)
            }
            Err(problem) => {
                self.settings.tell(|| Event::Detail { level: 1, text: problem.to_string() });
                GssReply::Verified(false)
            }
        }
    }
}

fn go_on(
    settings: &Settings,
    step: Step,
    context: Option<&mut Initiator>,
    token: Option<&[u8]>,
) -> Result<GssReply, Error> {
    let context = context.ok_or_else(|| no_context(step))?;
    let made = context.step(token).map_err(|problem| Error::kerberos(step, &settings.host, &problem))?;
    if let Some(Established { delegated: true, .. }) = made.established {
        let text = "the server can act as the user to other Kerberos services".to_owned();
        settings.tell(|| Event::Detail { level: 1, text });
    }
    Ok(reply(made))
}

fn sign(settings: &Settings, context: Option<&mut Initiator>, data: &[u8]) -> Result<GssReply, Error> {
    let step = Step::Authenticate;
    let context = context.ok_or_else(|| no_context(step))?;
    let mic = context.mic(data).map_err(|problem| Error::kerberos(step, &settings.host, &problem))?;
    Ok(GssReply::Mic(mic))
}

fn reply(made: Made) -> GssReply {
    let services = |Established { mutual, integrity, .. }| GssServices { mutual, integrity };
    GssReply::Token { token: made.token, established: made.established.map(services) }
}

fn no_context(step: Step) -> Error {
    Error::internal(step, "GSS-API has no such context")
}
