//! What is known of the connection while the files are read.

use core::net::IpAddr;
use std::collections::BTreeMap;

use crate::{
    Expansion, Local, Problem, Surroundings, TokenError, Tokens, condition, condition::Named, expand, words,
};

/// What criteria and tokens ask for.
pub(super) struct Facts {
    original_host: String,
    local: Local,
    /// The first values of the keywords below.
    values: BTreeMap<&'static str, String>,
    /// The host to connect to, once the first pass has settled it.
    settled: Option<String>,
}

impl Facts {
    pub(super) fn new(original_host: String, local: Local) -> Self {
        Self { original_host, local, values: BTreeMap::new(), settled: None }
    }

    /// Notes the value of a keyword, if it matters here and is the first.
    pub(super) fn note(&mut self, keyword: &str, value: &str) {
        let Some(keyword) = NOTED.iter().find(|noted| noted.eq_ignore_ascii_case(keyword)) else { return };
        let first_word = || words(value).ok().and_then(|words| words.into_iter().next());
        let value = if *keyword == PROXY_JUMP { without_comment(value) } else { first_word() };
        let other_proxy = self.values.contains_key(PROXY_COMMAND) && *keyword == PROXY_JUMP;
        if let Some(value) = value.filter(|value| !value.is_empty() && !other_proxy) {
            self.values.entry(keyword).or_insert(value);
        }
    }

    /// What the patterns of `Host` are held against: the host as it was typed, and in a second pass the one to
    /// connect to.
    pub(super) fn host(&self) -> &str {
        self.settled.as_ref().unwrap_or(&self.original_host)
    }

    pub(super) fn second_pass(&self) -> bool {
        self.settled.is_some()
    }

    /// Whether `CanonicalizeHostname` asks for a second pass.
    pub(super) fn canonicalizes(&self) -> bool {
        let no = |value: &String| ["no", "false"].iter().any(|no| no.eq_ignore_ascii_case(value));
        self.values.get("CanonicalizeHostname").is_some_and(|value| !no(value))
    }

    /// Ends the first pass: what the host is does not change any more.
    pub(super) fn settle_host(&mut self) -> Result<(), Problem> {
        let name = self.values.get(HOST_NAME);
        self.settled = Some(host_name(&self.original_host, name.map(String::as_str))?);
        Ok(())
    }

    pub(super) fn into_host_name(self) -> String {
        self.settled.unwrap_or(self.original_host)
    }

    /// What tokens stand for at this point of the files.
    pub(super) fn tokens(&self) -> Result<Tokens, TokenError> {
        let host = self.host_so_far()?;
        let port = self.values.get("Port").and_then(|port| port.parse().ok());
        Ok(Tokens {
            local: self.local.clone(),
            original_host: self.original_host.clone(),
            port: port.unwrap_or(DEFAULT_PORT),
            user: self.user(),
            alias: self.values.get("HostKeyAlias").unwrap_or(&host).clone(),
            jump: self.values.get(PROXY_JUMP).filter(|jump| *jump != "none").cloned().unwrap_or_default(),
            host,
        })
    }

    fn host_so_far(&self) -> Result<String, TokenError> {
        match (&self.settled, self.values.get(HOST_NAME)) {
            (Some(host), _) => Ok(host.clone()),
            (None, None) => Ok(self.original_host.clone()),
            (None, Some(name)) => with_original(&self.original_host, name),
        }
    }

    fn user(&self) -> Option<String> {
        self.values.get("User").or(self.local.user.as_ref()).cloned()
    }
}

/// The facts, for the criteria of a `Match` line.
pub(super) struct Subject<'a> {
    pub(super) facts: &'a Facts,
    pub(super) surroundings: &'a dyn Surroundings,
    /// Whether the line has no effect, so that no command is run for it.
    pub(super) inert: bool,
}

impl condition::Subject for Subject<'_> {
    fn second_pass(&self) -> bool {
        self.facts.second_pass()
    }

    fn value(&self, criterion: Named) -> Result<String, Problem> {
        Ok(match criterion {
            Named::Host => self.facts.host_so_far()?,
            Named::OriginalHost => self.facts.original_host.clone(),
            Named::User => self.facts.user().unwrap_or_default(),
            Named::LocalUser => self.facts.local.user.clone().unwrap_or_default(),
            Named::Tagged => self.facts.values.get("Tag").cloned().unwrap_or_default(),
            // A tunnel runs none.
            Named::Command => String::new(),
            Named::SessionType => "none".to_owned(),
        })
    }

    fn exec(&self, command: &str) -> Result<bool, Problem> {
        if self.inert {
            return Ok(false);
        }
        let command = expand(command, Expansion::of("Match"), &self.facts.tokens()?, |_| None)?;
        Ok(self.surroundings.run(&command))
    }
}

/// The host to connect to, as ssh writes it: what `HostName` says, else the host as it was typed, in lower case and
/// addresses in their shortest form.
///
/// # Errors
/// There is another token than `%h` in `HostName`.
pub fn host_name(original_host: &str, host_name: Option<&str>) -> Result<String, TokenError> {
    let name = host_name.map_or(Ok(original_host.to_owned()), |name| with_original(original_host, name))?;
    match name.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        // In an address with a zone, the case of the zone's name counts.
        Err(_) if name.contains([':', '%']) => Ok(name),
        Err(_) => Ok(name.to_ascii_lowercase()),
    }
}

fn with_original(original_host: &str, name: &str) -> Result<String, TokenError> {
    let tokens = Tokens { host: original_host.to_owned(), ..Tokens::default() };
    expand(name, Expansion::of(HOST_NAME), &tokens, |_| None)
}

/// ProxyJump is not split into words, and a `#` ends it wherever it stands.
fn without_comment(value: &str) -> Option<String> {
    let value = value.split('#').next().unwrap_or_default().trim_end();
    Some(value.to_owned())
}

const HOST_NAME: &str = "HostName";
const PROXY_JUMP: &str = "ProxyJump";
const PROXY_COMMAND: &str = "ProxyCommand";

/// Keywords whose values matter while the files are read.
const NOTED: [&str; 8] =
    [HOST_NAME, "User", "Port", "HostKeyAlias", PROXY_JUMP, PROXY_COMMAND, "Tag", "CanonicalizeHostname"];

/// The port of SSH (RFC 4253 section 4).
const DEFAULT_PORT: u16 = 22;
