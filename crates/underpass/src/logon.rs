//! What to log on with, in which order. The engine knows the messages, this knows the settings.

mod candidate;
mod certificate;
mod host_based;
mod order;
mod search;
mod x509;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use underpass_crypto::Secret;
use underpass_proto::{Credential, Refused};

use self::candidate::Key;
pub(crate) use self::candidate::{Candidate, candidates};
pub use self::certificate::UserCertificate;
use self::certificate::doubt;
pub(crate) use self::certificate::with_certificates;
use self::host_based::HOSTBASED;
pub use self::host_based::{HostBased, host_key_files, this_host};
pub(crate) use self::host_based::{HostKey, host_keys};
pub(crate) use self::order::in_order;
pub(crate) use self::search::find_credential;
use crate::agent::Agent;
use crate::blocking::lock;
use crate::gss::MECHANISM;
use crate::{AgentUse, Error, Event, Prompt, Settings};

const NONE: &str = "none";
const GSSAPI_KEYEX: &str = "gssapi-keyex";
const GSSAPI_WITH_MIC: &str = "gssapi-with-mic";

/// What a person has given, for the logons of later connections of the same tunnel.
#[derive(Default)]
pub(crate) struct Memory {
    /// The password that the server accepted.
    password: Mutex<Option<Secret>>,
}

impl Memory {
    fn password(&self) -> MutexGuard<'_, Option<Secret>> {
        // Each change is a single assignment.
        lock(&self.password)
    }
}

/// The logon of one connection.
pub(crate) struct Logon {
    settings: Arc<Settings>,
    memory: Arc<Memory>,
    /// The password that a person has just given, and the method that it was for.
    given: Option<(&'static str, Secret)>,
    pub(crate) user: String,
    /// The keys that are left to offer; at first those of files, until the agent has been asked for its own.
    candidates: VecDeque<Candidate>,
    agent_left: bool,
    host_keys: VecDeque<HostKey>,
    current: Option<Current>,
    tried: Vec<String>,
    /// What the server takes.
    remaining: Vec<String>,
    password_left: bool,
    keyboard_password_used: bool,
    password_prompts: u32,
    keyboard_attempts: u32,
    /// Why a key could not be used, if no key was refused for better reasons.
    key_problem: Option<Error>,
    key_offered: bool,
    /// Kerberos has vouched for the server, and its context can log on.
    keyex_left: bool,
    kerberos_left: bool,
}

/// What is being tried.
struct Current {
    method: &'static str,
    detail: String,
    candidate: Option<Candidate>,
}

/// What to do next.
pub(crate) enum Next {
    Offer(Credential),
    /// Ask the prompter for a password; the number of the attempt counts from 1.
    AskPassword(u32),
    /// Have Kerberos make its first token.
    BeginKerberos,
    /// Find out which keys the agent has, besides these of files.
    AskAgent(Vec<Candidate>),
}

impl Logon {
    pub(crate) fn new(
        settings: Arc<Settings>,
        user: String,
        files: Vec<Candidate>,
        host_keys: Vec<HostKey>,
        memory: Arc<Memory>,
    ) -> Self {
        let password_left = settings.password.is_some() || memory.password().is_some();
        Self {
            user,
            memory,
            given: None,
            agent_left: Agent::of(&settings).is_some(),
            candidates: files.into(),
            host_keys: host_keys.into(),
            current: None,
            tried: Vec::new(),
            remaining: Vec::new(),
            password_left,
            keyboard_password_used: false,
            password_prompts: 0,
            keyboard_attempts: 0,
            key_problem: None,
            key_offered: false,
            keyex_left: false,
            kerberos_left: settings.kerberos.authentication,
            settings,
        }
    }

    /// The method that is being tried.
    pub(crate) fn method(&self) -> &'static str {
        self.current.as_ref().map_or(NONE, |current| current.method)
    }

    /// Chooses after a refusal; `None` at the beginning, which asks the server what it takes.
    pub(crate) fn next(&mut self, last: Option<&Refused>) -> Next {
        if self.settings.custom_authentication.is_some() {
            return self.next_custom(last);
        }
        let Some(last) = last else {
            return self.offer(NONE, String::new(), None, Credential::None);
        };
        let refused = self.report(last);
        self.remaining.clone_from(&last.remaining);
        if refused && self.settings.stop_at_first_refusal {
            return Next::Offer(Credential::GiveUp);
        }
        self.choose(&last.remaining)
    }

    /// The program writes the messages, and is asked to begin once.
    fn next_custom(&mut self, last: Option<&Refused>) -> Next {
        let Some(last) = last else {
            return self.offer("custom", String::new(), None, Credential::Custom);
        };
        self.report(last);
        Next::Offer(Credential::GiveUp)
    }

    /// The key exchange was one with Kerberos.
    pub(crate) fn kerberos_vouched(&mut self) {
        self.keyex_left = self.settings.kerberos.authentication;
    }

    /// What came of [`Next::BeginKerberos`].
    pub(crate) fn kerberos_begun(&mut self, begun: Result<(), Error>) -> Next {
        match begun {
            Ok(()) => {
                let server = self.settings.kerberos.target(&self.settings.host).name().to_owned();
                let credential = Credential::GssapiWithMic { mechanism: MECHANISM };
                self.offer(GSSAPI_WITH_MIC, server, None, credential)
            }
            Err(problem) => {
                let problem = with_advice(&problem);
                self.settings
                    .tell(|| Event::Detail { level: 1, text: format!("{GSSAPI_WITH_MIC}: {problem}") });
                self.tried.push(format!("{GSSAPI_WITH_MIC} ({problem})"));
                let remaining = std::mem::take(&mut self.remaining);
                self.choose(&remaining)
            }
        }
    }

    /// Kerberos came to nothing in the method that is being tried.
    pub(crate) fn kerberos_failed(&mut self, problem: &Error) {
        if let Some(current) = &mut self.current {
            current.detail = with_advice(problem);
        }
    }

    /// The server's GSS-API said why it gave up.
    pub(crate) fn kerberos_refused(&mut self, words: &[u8]) {
        if let Some(current) = &mut self.current
            && !words.is_empty()
        {
            current.detail = format!("the server says: {}", underpass_wire::untrusted(words));
        }
    }

    /// What came of [`Next::AskAgent`]: all keys that can be offered.
    pub(crate) fn agent_asked(&mut self, found: Result<Vec<Candidate>, Error>) -> Next {
        match found {
            Ok(candidates) => self.candidates = candidates.into(),
            Err(problem) => {
                self.key_problem.get_or_insert(problem);
            }
        }
        let remaining = std::mem::take(&mut self.remaining);
        self.choose(&remaining)
    }

    /// There was no answer to [`Next::AskPassword`].
    pub(crate) fn no_password(&mut self) -> Next {
        // Nobody is there: a password is out of the question.
        self.password_prompts = u32::MAX;
        let remaining = std::mem::take(&mut self.remaining);
        self.choose(&remaining)
    }

    /// The prompter gave a password.
    pub(crate) fn password_given(&mut self, password: Secret) -> Next {
        self.given = Some(("password", password.clone()));
        self.offer("password", String::new(), None, Credential::Password(password))
    }

    /// The prompter answered the server's prompts.
    pub(crate) fn responses_given(&mut self, prompts: &[Prompt], responses: &[Secret]) {
        if let ([prompt], [response]) = (prompts, responses)
            && is_for_password(prompt)
        {
            self.given = Some(("keyboard-interactive", response.clone()));
        }
    }

    /// The server has let the user in.
    pub(crate) fn done(&mut self) {
        if let Some((_, given)) = self.given.take() {
            *self.memory.password() = Some(given);
        }
    }

    /// The password that needs no person.
    fn known_password(&self) -> Option<Secret> {
        self.memory.password().clone().or_else(|| self.settings.password.clone())
    }

    /// The key to sign with.
    pub(crate) fn candidate(&self) -> Option<Candidate> {
        self.current.as_ref().and_then(|current| current.candidate.clone())
    }

    /// The key could not be used after all.
    pub(crate) fn key_failed(&mut self, problem: Error) {
        self.settings.tell(|| Event::Warning { text: problem.to_string() });
        self.key_problem.get_or_insert(problem);
    }

    /// The password of the settings, once, for the only hidden prompt of a round in the first attempt.
    pub(crate) fn keyboard_password(&mut self) -> Option<Secret> {
        if self.keyboard_attempts > 1 || std::mem::replace(&mut self.keyboard_password_used, true) {
            return None;
        }
        self.known_password()
    }

    /// There were no answers to the server's prompts.
    pub(crate) fn no_responses(&mut self) {
        // Nobody is there, and nothing was tried that the server could refuse.
        self.keyboard_attempts = u32::MAX;
        self.current = None;
    }

    /// Why the server let nobody in.
    pub(crate) fn failure(&mut self, remaining: Vec<String>) -> Error {
        match self.key_problem.take() {
            Some(problem) if !self.key_offered && self.tried.is_empty() => problem,
            _ => {
                let mut tried = std::mem::take(&mut self.tried);
                if self.settings.preferred_authentications.iter().all(|method| method == NONE) {
                    tried.push(NONE.to_owned());
                }
                Error::authentication(&self.settings.host, &self.user, tried, remaining)
            }
        }
    }

    /// Tells whether the server has refused what was tried.
    fn report(&mut self, last: &Refused) -> bool {
        let Some(current) = self.current.take() else { return false };
        if !last.partial && self.given.as_ref().is_some_and(|(method, _)| *method == current.method) {
            self.given = None;
        }
        if last.no_algorithm {
            let why = current.candidate.as_ref().map(Candidate::unsuited).unwrap_or_default();
            let text = format!("{}: {why}", current.detail);
            self.settings.tell(|| Event::Detail { level: 1, text });
            return false;
        }
        if current.method == NONE {
            let text = format!("the server takes {}", last.remaining.join(", "));
            self.settings.tell(|| Event::Detail { level: 1, text });
            return false;
        }
        if current.candidate.is_some() && self.key_problem.is_none() {
            self.key_offered = true;
        }
        if self.key_offered || current.candidate.is_none() {
            let detail =
                if current.detail.is_empty() { String::new() } else { format!(" ({})", current.detail) };
            self.tried.push(format!("{}{detail}", current.method));
        }
        self.settings.tell(|| Event::AuthRefused {
            method: current.method.to_owned(),
            remaining: last.remaining.clone(),
            partial: last.partial,
        });
        !last.partial
    }

    fn choose(&mut self, remaining: &[String]) -> Next {
        let settings = self.settings.clone();
        for method in &settings.preferred_authentications {
            let excluded = settings.agent == AgentUse::Required && method != "publickey";
            if excluded || !remaining.iter().any(|name| name == method) {
                continue;
            }
            let next = match method.as_str() {
                GSSAPI_KEYEX if std::mem::take(&mut self.keyex_left) => {
                    Some(self.offer(GSSAPI_KEYEX, String::new(), None, Credential::GssapiKeyex))
                }
                GSSAPI_WITH_MIC => {
                    std::mem::take(&mut self.kerberos_left).then(|| {
                        // For when nothing comes of it.
                        self.remaining = remaining.to_vec();
                        Next::BeginKerberos
                    })
                }
                HOSTBASED => self.next_host_key(),
                "publickey" if std::mem::take(&mut self.agent_left) => {
                    self.remaining = remaining.to_vec();
                    Some(Next::AskAgent(self.candidates.drain(..).collect()))
                }
                "publickey" => self.next_key(),
                "keyboard-interactive" => self.next_keyboard(),
                "password" => self.next_password(),
                _ => None,
            };
            if let Some(next) = next {
                return next;
            }
        }
        Next::Offer(Credential::GiveUp)
    }

    fn next_key(&mut self) -> Option<Next> {
        let candidate = self.candidates.pop_front()?;
        let credential = Credential::Key {
            key: candidate.shown().to_vec(),
            algorithms: candidate.algorithms(),
            // A key in memory signs faster than the server answers a query; the others may ask a person.
            query: !matches!(&candidate.key, Key::Ready(signer) if !signer.may_ask()),
        };
        let detail = candidate.detail(doubt(candidate.shown(), &self.user));
        Some(self.offer("publickey", detail, Some(candidate), credential))
    }

    fn next_host_key(&mut self) -> Option<Next> {
        let key = self.host_keys.pop_front()?;
        let (credential, detail) = (key.credential(), key.detail());
        Some(self.offer(HOSTBASED, detail, Some(key.candidate), credential))
    }

    fn next_keyboard(&mut self) -> Option<Next> {
        let may_ask =
            !self.settings.batch && self.keyboard_attempts < self.settings.number_of_password_prompts;
        // The password of the settings is good for one attempt, whether the server asks for it or for something else.
        let has_password = self.keyboard_attempts == 0 && self.known_password().is_some();
        if !has_password && !may_ask {
            return None;
        }
        self.keyboard_attempts += 1;
        Some(self.offer("keyboard-interactive", String::new(), None, Credential::KeyboardInteractive))
    }

    fn next_password(&mut self) -> Option<Next> {
        if std::mem::take(&mut self.password_left)
            && let Some(password) = self.known_password()
        {
            return Some(self.offer("password", String::new(), None, Credential::Password(password)));
        }
        if self.settings.batch || self.password_prompts >= self.settings.number_of_password_prompts {
            return None;
        }
        self.password_prompts += 1;
        Some(Next::AskPassword(self.password_prompts))
    }

    fn offer(
        &mut self,
        method: &'static str,
        detail: String,
        candidate: Option<Candidate>,
        credential: Credential,
    ) -> Next {
        self.settings.tell(|| Event::AuthAttempt { method: method.to_owned(), detail: detail.clone() });
        self.current = Some(Current { method, detail, candidate });
        Next::Offer(credential)
    }
}

/// What went wrong with Kerberos and what to do, for the list of what was tried.
fn with_advice(problem: &Error) -> String {
    let advice = problem.advice().unwrap_or_default();
    format!("{}; {advice}", problem.kind())
}

/// Whether the answer to a prompt is good for another login: a password is, a code that is good once is not, and what
/// is neither by its words is taken for a code.
fn is_for_password(prompt: &Prompt) -> bool {
    let text = prompt.text.to_lowercase();
    let once = ["one-time", "one time", "otp"];
    !prompt.echo && text.contains("password") && !once.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;

    /// What is tried against a server that refuses everything; the server's prompts are answered as `answer` does.
    fn tried(builder: Builder, methods: &[&str], mut answer: impl FnMut(&mut Logon)) -> Vec<&'static str> {
        let settings = Arc::new(builder.settings().unwrap());
        let mut logon = Logon::new(settings, "me".to_owned(), Vec::new(), Vec::new(), Arc::default());
        let remaining = methods.iter().map(|name| (*name).to_owned()).collect();
        let refused = Refused { remaining, partial: false, no_algorithm: false };
        let mut tried = Vec::new();
        let mut next = logon.next(None);
        loop {
            match next {
                Next::Offer(Credential::GiveUp) => return tried,
                Next::Offer(credential) => {
                    tried.push(logon.method());
                    if let Credential::KeyboardInteractive = credential {
                        answer(&mut logon);
                    }
                    next = logon.next(Some(&refused));
                }
                Next::AskPassword(_) => next = logon.password_given("typed".into()),
                Next::AskAgent(files) => next = logon.agent_asked(Ok(files)),
                Next::BeginKerberos => next = logon.kerberos_begun(Err(Error::configuration("no ticket"))),
            }
            assert!(tried.len() < 100, "it never ends: {tried:?}");
        }
    }

    const BOTH: [&str; 2] = ["keyboard-interactive", "password"];

    fn builder() -> Builder {
        Builder::new("bastion").number_of_password_prompts(2)
    }

    #[test]
    fn prompts_that_nobody_answers_are_no_reason_to_ask_again() {
        let nobody = |logon: &mut Logon| logon.no_responses();
        let batch = builder().password("x").batch(true);
        assert_eq!(tried(batch, &BOTH, nobody), ["none", BOTH[0], BOTH[1]]);
        assert_eq!(tried(builder(), &BOTH, nobody), ["none", BOTH[0], BOTH[1], BOTH[1]]);
        assert_eq!(tried(builder().batch(true), &BOTH, nobody), ["none"]);
    }

    #[test]
    fn a_password_of_the_settings_is_tried_once_a_method_and_then_the_person_is_asked() {
        let mut given = Vec::new();
        let methods = tried(builder().password("x"), &BOTH, |logon| {
            given.push(logon.keyboard_password().is_some());
        });
        assert_eq!(given, [true, false]);
        assert_eq!(methods, ["none", BOTH[0], BOTH[0], BOTH[1], BOTH[1], BOTH[1]]);
    }

    #[test]
    fn only_what_asks_for_a_password_is_remembered() {
        let asked = |text: &str| is_for_password(&Prompt { text: text.to_owned(), echo: false });
        assert!(asked("Password: ") && asked("(me@bastion) Password for me:"));
        assert!(!asked("Verification code: ") && !asked("One-time password (OATH) for `me':"));
        assert!(!is_for_password(&Prompt { text: "Password: ".to_owned(), echo: true }));
    }

    #[test]
    fn a_password_that_no_prompt_fits_is_not_kept_for_later_attempts() {
        let mut attempts = 0;
        tried(builder().password("x"), &BOTH, |logon| {
            attempts += 1;
            // Two prompts come first, and one that a password would fit in the second attempt.
            if attempts > 1 {
                assert!(logon.keyboard_password().is_none());
            }
        });
        assert_eq!(attempts, 2);
    }
}
